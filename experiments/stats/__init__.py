"""The statistics of an outcome summary: numpy and scipy only, no Django.

Every module in this folder is one statistic: it holds `METHOD` (a `base.vocabulary.Method`) and `compute`. `base/`
holds what they share. A new statistic is one new file here and one reference file under
`tests/science/stats_reference/`; nothing else is edited.

    from experiments.stats.base.runner import method_versions, summarise
    from experiments.stats.base.sample import Sample

This package itself imports nothing, so that `base.vocabulary` (choices, field names) can be used where scipy must not
be loaded.
"""
