"""Base capture. Each tank in the enemy's base earns a tick of capture each tick, three of them at most,
while no owner of the base is in it. A tank that leaves the base, is damaged or destroyed loses what it
earned.
"""

from .fact import CaptureProgress, Fact
from .map import BASE_RADIUS_METRES, BASES
from .situation import Situation, enemy_of
from .vehicle import TICKS_PER_SECOND

CAPTURED_TICKS = 60 * TICKS_PER_SECOND  # one tank alone needs a minute
MAX_CAPTURERS = 3


def capture_bases(situation: Situation, facts: list[Fact]) -> None:
    _capture(situation, 0, facts)
    _capture(situation, 1, facts)


def captured_ticks(situation: Situation, owner: int) -> int:
    """How far the base of this team is captured; from CAPTURED_TICKS on it is."""
    return sum([tank.capture_ticks for tank in situation.tanks_of[enemy_of(owner)]])


def _capture(situation: Situation, owner: int, facts: list[Fact]) -> None:
    before = captured_ticks(situation, owner)
    invaders = _seats_in_base(situation, enemy_of(owner), owner)
    if before == 0 and not invaders:
        return
    contested = bool(_seats_in_base(situation, owner, owner))
    _earn(situation, owner, invaders, contested)
    after = captured_ticks(situation, owner)
    began_or_ended = (before == 0) != (after == 0)
    if began_or_ended or (after > 0 and situation.state.tick % TICKS_PER_SECOND == 0):
        facts.append(CaptureProgress(owner, after, len(invaders), contested))


def _seats_in_base(situation: Situation, team: int, owner: int) -> list[int]:
    tanks, xs, ys = situation.tanks, situation.places.xs, situation.places.ys
    base_x, base_y = BASES[owner]
    west, east = base_x - BASE_RADIUS_METRES, base_x + BASE_RADIUS_METRES
    found = []
    for seat in situation.seats_of[team]:
        if not west <= xs[seat] <= east or tanks[seat].hit_points <= 0:
            continue
        offset_x, offset_y = xs[seat] - base_x, ys[seat] - base_y
        if offset_x * offset_x + offset_y * offset_y <= BASE_RADIUS_METRES * BASE_RADIUS_METRES:
            found.append(seat)
    return found


def _earn(situation: Situation, owner: int, invaders: list[int], contested: bool) -> None:
    for seat in situation.seats_of[enemy_of(owner)]:
        if seat not in invaders:
            situation.tanks[seat].capture_ticks = 0
    if contested:
        return
    for seat in invaders[:MAX_CAPTURERS]:
        situation.tanks[seat].capture_ticks += 1
