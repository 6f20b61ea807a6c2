"""In: a campaign's moment and its scenario. Out: windows of half a second, while the dial is turned.

`fleet` is the parent's door. `conductor` runs on the Locust master, `member` and `driver` on every worker, `visit` and `users` make the
visitors, `connection` and `body` speak HTTP. Only what runs beside Locust imports it.
"""
