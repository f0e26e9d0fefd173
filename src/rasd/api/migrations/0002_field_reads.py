import django.contrib.postgres.fields
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('rasd_api', '0001_initial'),
    ]

    operations = [
        migrations.AlterField(
            model_name='apitoken',
            name='scopes',
            field=django.contrib.postgres.fields.ArrayField(base_field=models.CharField(choices=[('conversations:read', 'read conversations and messages'), ('conversations:write', 'answer, note, claim and close conversations'), ('cases:read', 'read cases'), ('cases:write', 'open, work on and close cases'), ('obligations:read', 'read what is owed'), ('obligations:write', 'give, move and waive what is owed'), ('field-reads', 'fetch routes, and bring what meter readers read'), ('webhooks', 'be told of what the token may read, by webhooks')], max_length=30), size=None, verbose_name='scopes'),
        ),
    ]
