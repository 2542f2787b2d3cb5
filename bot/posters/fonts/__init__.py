"""The letters of posters: Open Sans, © 2010-2011 Google Corporation, Apache License 2.0."""
