"""Export: a sweep as a grid, a contact sheet, a page and tables."""
