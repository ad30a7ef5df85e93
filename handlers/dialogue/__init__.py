"""The dialogue with the model; knows neither Telegram nor HTTP."""
