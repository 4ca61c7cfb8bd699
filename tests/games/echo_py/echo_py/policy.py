"""What an exception in on_event does. The module echo_blames has another file here (tests/games/CMakeLists.txt)."""

ON_EXCEPTION = "recover"
