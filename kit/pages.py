"""Pages as people see them: a template, in the language of the address, with sentences from one place."""

import re
from functools import partial
from html import unescape
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined, Template, TemplateNotFound
from litestar import MediaType, Request, Response
from markupsafe import Markup, escape

from kit import locale as languages
from kit.errors import FieldError
from kit.locale import Locale
from kit.static_files import StaticFiles


def see_other(path: str, *, headers: dict[str, str] | None = None) -> Response[None]:
    """Where to go on after a form was taken: the browser asks for the page anew, and a reload posts nothing twice."""
    return Response(None, status_code=303, headers={"Location": path, "Cache-Control": "no-store"} | (headers or {}))


class Pages:
    """All templates below `folder`, in both languages, with the static files they name."""

    def __init__(self, folder: Path) -> None:
        self.static_files = StaticFiles(folder / "static")
        self._environments = {locale: _environment(folder, locale, self.static_files) for locale in languages.LOCALES}

    def render(
        self,
        request: Request,
        template: str,
        *,
        status: int = 200,
        headers: dict[str, str] | None = None,
        **context: Any,
    ) -> Response[bytes]:
        """The page in the language of the request's path. Kept by nobody unless `headers` say otherwise."""
        # Not `request.url`: its parts come from the Host header, and not every Host makes a URL.
        path = request.scope["path"]
        locale = languages.locale_of(path)
        html = self.html(locale, template, path=languages.without_locale(path), **context)
        return Response(
            html.encode(),
            status_code=status,
            media_type=MediaType.HTML,
            headers={"Cache-Control": "no-store", "Content-Language": locale} | (headers or {}),
        )

    def render_problem(
        self,
        request: Request,
        code: str,
        *,
        status: int,
        headers: dict[str, str] | None = None,
        **context: Any,
    ) -> Response[bytes]:
        """The page `problems/{code}.html`, or the general one for a code that has none. Facts go into `context`."""
        return self.render(request, f"problems/{self._known(code)}.html", status=status, headers=headers, **context)

    def html(self, locale: Locale, template: str, **context: Any) -> str:
        """The bare text of a template. Every page wants `path` (the Vietnamese address), `unit` and `now`."""
        return self._template(locale, template).render(context)

    def part(self, locale: Locale, template: str, macro: str, *arguments: Any) -> str:
        """The bare text of one macro, as it stands in a page."""
        return str(getattr(self._template(locale, template).module, macro)(*arguments))

    def letter(self, name: str, /, **facts: Any) -> tuple[str, str, str]:
        """Subject, text and HTML of `mail/{name}.html`, in Vietnamese. Its blocks are `subject`, `body` and `foot`.

        The text is that of body and foot, with the address of each link behind its words.
        """
        template = self._template("vi", f"mail/{name}.html")
        context = template.new_context(facts)
        subject, body = ("".join(template.blocks[block](context)) for block in ("subject", "body"))
        layout = self._template("vi", "mail/layout.html")
        foot = "".join(layout.blocks["foot"](layout.new_context(facts)))
        text = f"{_as_text(body)}\n-- \n{_as_text(foot)}"
        return " ".join(_plain(subject).split()), text, template.render(facts)

    def sentence(self, locale: Locale, code: str, **facts: Any) -> tuple[str, str]:
        """Title and detail of a problem as plain text, the same words that its page says."""
        template = self._template(locale, f"problems/{self._known(code)}.html")
        context = template.new_context(facts)
        title, detail = ("".join(template.blocks[block](context)) for block in ("title", "detail"))
        return _plain(title), _plain(detail)

    def field_sentence(self, locale: Locale, error: FieldError) -> str:
        """What is wrong with one field, as plain text, the same words that stand beside it on the page."""
        return _plain(self._template(locale, "problems/field_sentence.html").render(error=error))

    def _template(self, locale: Locale, name: str) -> Template:
        return self._environments[locale].get_template(name)

    def _known(self, code: str) -> str:
        try:
            self._template("vi", f"problems/{code}.html")
        except TemplateNotFound:
            return "problem"
        return code


def _environment(folder: Path, locale: Locale, static_files: StaticFiles) -> Environment:
    environment = Environment(
        loader=FileSystemLoader(folder),
        autoescape=True,
        undefined=StrictUndefined,
        extensions=["jinja2.ext.i18n"],
        auto_reload=False,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.policies["ext.i18n.trimmed"] = True
    # Templates are written in Vietnamese.
    words = str if locale == "vi" else languages.read_words(folder / "locale" / f"{locale}.po")
    environment.install_gettext_callables(words, _no_plurals, newstyle=True)  # type: ignore[attr-defined]  # by i18n
    environment.globals |= {
        "locale": locale,
        "url": partial(languages.in_locale, locale=locale),
        "asset": static_files.address,
        "in_other_language": partial(languages.in_locale, locale="vi" if locale == "en" else "en"),
        "name_of": partial(_name_of, locale=locale),
    }
    for name in ("number", "count", "day", "moment", "vietnamese", "wait"):
        environment.filters[name] = partial(getattr(languages, name), locale=locale)
    environment.filters |= {"monogram": languages.monogram, "with_code": languages.with_code}
    return environment


def _name_of(thing: Any, *, locale: Locale) -> Markup:
    """The name of a unit or an exam in the page's language, if it has one there."""
    if locale == "en" and thing.name_en:
        return escape(thing.name_en)
    return languages.vietnamese(thing.name, locale)


def _no_plurals(singular: str, plural: str, number: int) -> str:
    raise NotImplementedError(f"Vietnamese has no plural: word it without one ({singular!r}).")


def _as_text(html: str) -> str:
    """A letter's body as plain text: one paragraph a line, the address behind each link."""
    html = re.sub(r'<p><a [^>]*href="([^"]*)"[^>]*>(.*?)</a></p>', r"<p>\2: \1</p>", html, flags=re.DOTALL)
    # Within a sentence: the full stop behind it is none of the address's.
    html = re.sub(r'<a [^>]*href="([^"]*)"[^>]*>(.*?)</a>', r"\2 (\1)", html, flags=re.DOTALL)
    html = re.sub(r"\s+", " ", html)
    html = re.sub(r"</(?:p|h\d|ul|ol|table)>|<br>", "\n\n", html)
    html = re.sub(r"<li>", "\n- ", html)
    lines = (" ".join(line.split()) for line in re.sub(r"<[^>]*>", "", html).splitlines())
    text = unescape("\n".join(lines)).strip()
    return re.sub(r"\n{3,}", "\n\n", text) + "\n"


def _plain(html: str) -> str:
    return Markup(html).striptags()  # noqa: S704 - our own template's output, turned into plain text
