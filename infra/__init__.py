"""Templates of the deployment, and the tools that build and check them. Never deployed with the app."""
