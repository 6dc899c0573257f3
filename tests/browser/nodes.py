"""Nodes around a sealed release, some of them in trouble, for pages that show them."""

from datetime import timedelta

from kit.keys import KeyRing
from lookup.sealed.release_keys import ReleaseKeys
from lookup.sealed.slip_keeping import make_slips

# Node, what it has of the file, what is wrong; then its web processes, and what each says.
_NODES = [
    ("tinh-1", "ready", None, 1.0, [("tinh-1/1", None), ("tinh-1/2", None)]),
    ("tinh-2", "fetching", "disk_full", 0.4, [("tinh-2/1", "file_missing")]),
    ("tinh-3", "broken", "checksum_wrong", 1.0, [("tinh-3/1", "checksum_wrong")]),
]


async def given_nodes(connection, keys: KeyRing, exam: str) -> None:
    """A file for the newest release of an exam, of which a key on paper was asked for; and who has it."""
    generation = await connection.fetchval(
        "update lookup.releases set wants_slip = true where exam_code = $1"
        " and generation = (select max(generation) from lookup.releases where exam_code = $1) returning generation",
        exam,
    )
    bundle = await connection.fetchval(
        "insert into lookup.bundles (exam_code, generation, state, begun_at, result_count)"
        " values ($1, $2, 'building', now(), 1208863) returning id", exam, generation)  # fmt: skip
    wrapped = ReleaseKeys(keys).wrap(bytes(32), exam, generation, bundle)
    await connection.execute(
        "update lookup.bundles set state = 'stored', stored_at = now(), results_done = result_count,"
        " size = 190000000, sha256 = '', signed_by = '', wrapped_key = $2 where id = $1", bundle, wrapped)  # fmt: skip
    for node, state, problem, share, processes in _NODES:
        await connection.execute(
            "insert into lookup.node_workers (node, sends_keys, clock_difference_ms, told_at)"
            " values ($1, true, $2, clock_timestamp())", node, 640 if node == "tinh-2" else 0)  # fmt: skip
        await connection.execute(
            "insert into lookup.bundle_holders (node, bundle_id, state, bytes_done, problem, told_at)"
            " values ($1, $2, $3, $4, $5, clock_timestamp())",
            node, bundle, state, int(190_000_000 * share), problem)  # fmt: skip
        for process, trouble in processes:
            await connection.execute(
                "insert into units.nodes (name, applied_change, seen_at)"
                " values ($1, 0, clock_timestamp() + $2) on conflict do nothing",
                process, timedelta(minutes=5))  # fmt: skip
            await connection.execute(
                "insert into lookup.bundle_openings (process, bundle_id, opened_at, problem, told_at) values"
                " ($1, $2, case when $3::text is null then clock_timestamp() end, $3, clock_timestamp())",
                process, bundle, trouble)  # fmt: skip
    await make_slips(connection, keys, ReleaseKeys(keys).unwrap)
