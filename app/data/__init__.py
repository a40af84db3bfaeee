"""Where bars come from: the dialog for a data source, and the pane of the user's bars."""
