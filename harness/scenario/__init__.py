"""In: a YAML file. Out: `Scenario`: the vocabulary of campaigns, journeys and promises (`load.load`, `model.Scenario`)."""
