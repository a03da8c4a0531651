"""What builds and checks the templates: the compiler, and the files made from them."""
