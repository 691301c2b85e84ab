import datetime

print(datetime.datetime(2024, 2, 29, tzinfo=datetime.UTC).timestamp(), datetime.date(1, 1, 1).isocalendar())
