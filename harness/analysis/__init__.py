"""From windows to findings: the search for the breaking point, and what a finished run says about the campaign."""
