"""What the bar of every page shows of the alerts."""

from django import template

from rasd.watch.models import Alert

register = template.Library()


@register.simple_tag
def open_alerts() -> int:
    return Alert.objects.filter(closed_at=None).count()
