"""The suites: each a module with `TITLE`, `HOW`, `run(session)`, which measures, and `page(results)`, which says it in Markdown."""
