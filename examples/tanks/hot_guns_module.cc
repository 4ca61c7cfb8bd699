// The game module of version 2.0.
#include "hot_guns.h"

ARENAD_GAME(tanks::hot_guns::HotGuns)
