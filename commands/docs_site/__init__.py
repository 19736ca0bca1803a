"""The documentation as a site: the pages of docs/, with README, changelog and every file that they link to."""
