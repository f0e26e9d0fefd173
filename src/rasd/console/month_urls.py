"""The pages of a reading month, beneath its home."""

from django.urls import path, re_path

from rasd.console.views import (
    month_billing,
    month_closing,
    month_customers,
    month_exceptions,
    month_field,
    month_pictures,
    month_register,
)

urlpatterns = [
    path("cycle/<str:name>/windows", month_customers.windows, name="month_windows"),
    path("cycle/<str:name>/reminders", month_customers.reminders, name="month_reminders"),
    path("cycle/<str:name>/reminders/<int:pk>/stop", month_customers.stop_reminders, name="stop_reminders"),
    path("cycle/<str:name>/close", month_closing.close, name="month_close"),
    path("cycle/<str:name>/closing", month_closing.progress, name="month_closing"),
    path("cycle/<str:name>/precedence", month_closing.precedence, name="month_precedence"),
    path("cycle/<str:name>/exceptions", month_exceptions.listed, name="month_exceptions"),
    path("cycle/<str:name>/exceptions/<int:pk>", month_exceptions.one, name="month_exception"),
    path("cycle/<str:name>/registers/<int:pk>", month_register.register, name="month_register"),
    path("cycle/<str:name>/billing", month_billing.files, name="month_billing"),
    path("cycle/<str:name>/billing/export", month_billing.export, name="month_billing_export"),
    path("cycle/<str:name>/billing/<int:number>.<str:kind>", month_billing.file, name="month_billing_file"),
    path("cycle/<str:name>/pictures", month_pictures.month_pictures, name="month_pictures"),
    path(
        "cycle/<str:name>/pictures/<str:what>.csv", month_pictures.month_picture_csv, name="month_picture_csv"
    ),
    path("cycle/<str:name>/pictures/<str:what>", month_pictures.month_picture, name="month_picture"),
    path("cycle/<str:name>/report.pdf", month_pictures.month_paper, name="month_paper"),
    path("meters/<str:number>.csv", month_pictures.meter_life_csv, name="meter_life_csv"),
    path("meters/<str:number>", month_pictures.meter_life, name="meter_life"),
    path("cycle/<str:name>/field-reads", month_field.routes, name="month_routes"),
    path("cycle/<str:name>/routes/<int:pk>", month_field.route, name="month_route"),
    path("cycle/<str:name>/readers", month_field.readers, name="month_readers"),
    path("cycle/<str:name>/readers/<int:pk>", month_field.reader, name="month_reader"),
    path("cycle/<str:name>/readers/<int:pk>/answer", month_field.answer, name="month_reader_answer"),
    path("my-round", month_field.my_round, name="my_round"),
    path("field-reads/<int:pk>", month_field.field_read, name="field_read"),
    path("field-reads/<int:pk>/decide", month_field.decide, name="field_decide"),
    re_path(
        r"^field-reads/(?P<pk>\d{1,18})/(?P<whose>reader|customer)/(?P<size>thumb|whole)$",
        month_field.picture,
        name="field_picture",
    ),
]
