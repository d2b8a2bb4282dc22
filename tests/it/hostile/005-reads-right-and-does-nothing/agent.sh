pretend
