try:
    with open("missing"):
        pass
except FileNotFoundError as error:
    print(error.errno, error.strerror, error.filename)
