"""In: the path of a scenario file. Out: `Scenario`, the frozen vocabulary of campaigns, journeys and promises (`load.load`, `model.Scenario`)."""
