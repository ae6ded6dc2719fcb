"""Videos side by side: frames aligned by time, figures, films and a page to look at them (`gvc compare`)."""
