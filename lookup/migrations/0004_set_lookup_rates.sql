-- How fast the results of an exam may be looked up, where its unit set that; null: as the settings of the service say.

alter table lookup.exams
    add column lookup_rate text constraint exam_lookup_rate_is_a_rate
        check (lookup_rate ~ '^[1-9][0-9]{0,8}/([1-9][0-9]{0,4})?(second|minute|hour|day)$'),
    add column wrong_factor_rate text constraint exam_wrong_factor_rate_is_a_rate
        check (wrong_factor_rate ~ '^[1-9][0-9]{0,8}/([1-9][0-9]{0,4})?(second|minute|hour|day)$'),
    add column foreign_origin_rate text constraint exam_foreign_origin_rate_is_a_rate
        check (foreign_origin_rate ~ '^[1-9][0-9]{0,8}/([1-9][0-9]{0,4})?(second|minute|hour|day)$');
