"""One function for each route: read the request, ask a service, shape the answer."""
