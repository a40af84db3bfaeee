"""The application object, the start and the end of the program."""
