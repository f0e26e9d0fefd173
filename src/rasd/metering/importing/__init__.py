"""Service points, readings, routes and field reads from the utility's own files, CSV or XLSX.

Every row is checked on its own: what is valid is kept, what is not goes to ``FILE.errors.csv`` with the field, what is wrong
and how to mend it. Importing a file again changes nothing.
"""

from rasd.metering.importing.field_reads import import_field_reads
from rasd.metering.importing.outcome import Outcome, Problem
from rasd.metering.importing.readings import import_readings
from rasd.metering.importing.routes import import_routes
from rasd.metering.importing.service_points import import_service_points
from rasd.metering.importing.tables import UnreadableTable

__all__ = [
    "Outcome",
    "Problem",
    "UnreadableTable",
    "import_field_reads",
    "import_readings",
    "import_routes",
    "import_service_points",
]
