// The game module.
#include "tanks_game.h"

ARENAD_GAME(tanks::TanksGame)
