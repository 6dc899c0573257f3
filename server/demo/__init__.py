"""The fictional demo department: a province that does not exist, with exams to look up."""
