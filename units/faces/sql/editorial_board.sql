-- Editorial boards.

-- name: list_board(unit_code)
-- One row a person; one row without a person for a board that has nobody yet.
select b.decision_number, b.decided_on, p.part, p.name, p.position
from units.editorial_boards b left join units.editorial_board_people p on p.unit_code = b.unit_code
where b.unit_code = :unit_code
order by p.place;

-- name: remove_board(unit_code)!
delete from units.editorial_boards where unit_code = :unit_code;

-- name: add_board(unit_code, decision_number, decided_on)!
insert into units.editorial_boards (unit_code, decision_number, decided_on)
values (:unit_code, :decision_number, :decided_on);

-- name: add_board_person(unit_code, place, part, name, position)!
insert into units.editorial_board_people (unit_code, place, part, name, position)
values (:unit_code, :place, :part, :name, :position);
