-- Who staffs a unit: which roles go together, which mail domains are official, how long an invitation waits.

-- Whoever checks the record, or runs the machines, holds nothing else in that unit; the operator is the department's.
create function units.refuse_roles_kept_apart() returns trigger language plpgsql as $$
begin
    -- Two grants at once see each other.
    perform from units.officers where id = new.officer_id for no key update;
    if exists (
        select from units.officer_roles r
        where r.officer_id = new.officer_id and r.unit_code = new.unit_code and r.role <> new.role
          and (r.role in ('auditor', 'operator') or new.role in ('auditor', 'operator')))
    then
        raise exception using errcode = 'check_violation', constraint = 'auditor_and_operator_hold_nothing_else',
            message = 'an auditor or operator holds no other role in the same unit';
    end if;
    if new.role = 'operator' and exists (
        select from units.units u where u.code = new.unit_code and u.managed_by is not null)
    then
        raise exception using errcode = 'check_violation', constraint = 'operator_belongs_to_the_root',
            message = 'only the root unit has operators';
    end if;
    return new;
end
$$;
create trigger roles_are_kept_apart before insert or update on units.officer_roles
    for each row execute function units.refuse_roles_kept_apart();

alter table units.officers
    -- When the invitation that still waits was sent; null: taken up, expired, or never sent.
    add column invited_at timestamptz,
    add column disabled_at timestamptz,
    add column disabled_because text;

-- Official addresses of a unit's officers, where they are not the usual ones (*.edu.vn, *.gov.vn).
create table units.mail_domains (
    unit_code text not null references units.units (code),
    -- `vangiang.edu.vn`, or `*.edu.vn` for every domain below edu.vn.
    domain text not null constraint mail_domain_is_a_domain check (
        domain ~ '^([*]\.)?([a-z0-9]([a-z0-9-]*[a-z0-9])?\.)+[a-z]{2,}$' and length(domain) <= 253),
    primary key (unit_code, domain)
);
comment on table units.mail_domains is 'rights: select, insert, delete';
