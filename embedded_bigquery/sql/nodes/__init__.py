"""GoogleSQL statements and expressions as they were written: what the parser gives and the translation walks.

`at` is the line and column, both from 1, where a construct begins.
"""

from embedded_bigquery.sql.nodes.expressions import *  # noqa: F403
from embedded_bigquery.sql.nodes.queries import *  # noqa: F403
from embedded_bigquery.sql.nodes.statements import *  # noqa: F403
