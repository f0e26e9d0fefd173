from django.db import migrations

# One partition a cycle, made by the closing: filled as a table of its own, indexed, and attached when it is whole.
BILLED = """
CREATE TABLE metering_billed (
    cycle_id bigint NOT NULL REFERENCES metering_cycle,
    register_id bigint NOT NULL,
    service_point_id bigint NOT NULL,
    adoption_id bigint NOT NULL,
    district varchar(100) NOT NULL,
    customer_class varchar(40) NOT NULL,
    commodity varchar(20) NOT NULL,
    source varchar(10) NOT NULL,
    quality varchar(15) NOT NULL,
    value numeric(12, 3) NOT NULL,
    taken_at timestamptz NOT NULL,
    previous_value numeric(12, 3),
    previous_at timestamptz,
    use numeric(12, 3) NOT NULL,
    true_up numeric(12, 3) NOT NULL
) PARTITION BY LIST (cycle_id)
"""


class Migration(migrations.Migration):
    dependencies = [("metering", "0004_the_month")]

    operations = [migrations.RunSQL(BILLED, "DROP TABLE metering_billed")]
