"""The front door in Azure: the Functions host finds every function of the app here, by blueprint."""

import azure.functions as func

from shared.triggers.routes import http
from shared.triggers.timers import timers

app = func.FunctionApp(http_auth_level=func.AuthLevel.FUNCTION)
app.register_functions(timers)
app.register_functions(http)
