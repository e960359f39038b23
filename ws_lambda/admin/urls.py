"""`path("", include("ws_lambda.admin.urls"))`: where the live overview's messages arrive.

The gateway needs the additional route `overview` with the target `/ws_lambda/overview`; ROUTE_PATHS does the same
for the local gateway and for `zappa deploy`.
"""

from django.urls import path

from ws_lambda.admin.overview import OverviewView

urlpatterns = [path("ws_lambda/overview", OverviewView.as_view(), {"route": "overview"})]
