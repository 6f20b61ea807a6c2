"""In: the journeys of a scenario. Out: Locust user classes compiled from them by closures, and `visit.Crew`: all visitors of one worker."""
