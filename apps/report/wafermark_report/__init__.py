"""Reports from results: reads folders with a result.json (schema: common/results), never runs anything itself.

results -> scaling, cluster_model, answer (numbers) -> sections (tables, plots, words) -> page (HTML) ->
browser (PDF). compare and regression use results alone.
"""
