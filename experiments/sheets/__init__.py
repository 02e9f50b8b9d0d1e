"""Sheets of the laboratory into rows of the record.

`read_workbook` reads the file, `interpret` and `interpret_tallies` turn a sheet into typed rows and name every problem
at once. Neither touches the database.
"""
