"""When things happen in Azure: timers and routes. Beside `function_app.py` the only room that knows the host."""
