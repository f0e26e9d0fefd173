from django.urls import path

from rasd.console.views import calendars

urlpatterns = [
    path("", calendars.calendars, name="calendars"),
    path("new", calendars.new, name="new_calendar"),
    path("omani", calendars.omani, name="omani_calendar"),
    path("<int:pk>", calendars.calendar, name="calendar"),
    path("<int:pk>/about", calendars.about, name="calendar_about"),
    path("<int:pk>/week", calendars.week, name="calendar_week"),
    path("<int:pk>/seasons/new", calendars.season, name="new_season"),
    path("<int:pk>/seasons/<int:n>", calendars.season, name="season"),
    path("<int:pk>/seasons/<int:n>/remove", calendars.remove_season, name="remove_season"),
    path("<int:pk>/days", calendars.put_days, name="put_days"),
    path("<int:pk>/days/remove", calendars.remove_day, name="remove_day"),
    path("<int:pk>/days/move", calendars.move_holiday, name="move_holiday"),
    path("<int:pk>/undo", calendars.undo, name="undo_calendar"),
    path("<int:pk>/remove", calendars.remove, name="remove_calendar"),
]
