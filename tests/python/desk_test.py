"""A game at the desk: it plays, tells what is wrong with it, and goes on from its state as after a crash."""

import unittest

import arenad
from arenad.desk import Desk
from arenad.host import GameError, checked, find_game, text_of
from everything.everything_capnp import Inner, Lists, Numbers


class Duel(arenad.Game[Lists]):
    name = "duel"
    Events = (Inner, Numbers)
    Results = (Inner,)
    tick_hz = 10
    max_players = 4

    _total: int

    def on_init(self, ctx, params):
        self._total = 0
        ctx.options.max_players = params.number("players", 4, 1, 4)
        self.state.bigs = [0] * ctx.options.max_players

    def on_restore(self, ctx):
        self._total = sum(self.state.bigs)

    def on_join_attempt(self, ctx, seat, name):
        if name == "eve":
            raise arenad.Refused("not you")

    def on_leave(self, ctx, seat, reason):
        ctx.log.info(f"{seat} left: {reason}")

    def on_signal(self, ctx, name, payload):
        if name == "number":
            return 5
        if name != "kick":
            return super().on_signal(ctx, name, payload)
        return "gone" if ctx.kick(int(payload), "go") else None

    def on_join(self, ctx, seat, name):
        ctx.log.info(f"{name} joins")

    def on_event(self, ctx, seat, event):
        if isinstance(event, Numbers.Reader):
            raise ZeroDivisionError("a mistake")
        self.state.bigs[seat] += event.a + ctx.random.below(10)
        self._total = sum(self.state.bigs)
        ctx.send(Inner(a=seat, name=event.name), to=1 << seat)

    def on_tick(self, ctx):
        if self._total > 50:
            for seat, points in enumerate(self.state.bigs):
                ctx.result(seat, Inner(a=points))
            ctx.end()


class AtTheDesk(unittest.TestCase):
    def play(self, desk, turns):
        for turn in range(turns):
            desk.event(turn % 2, Inner(a=1, name=f"turn {turn}"))
            desk.tick()

    def test_it_plays(self):
        desk = Desk(Duel, params={"players": "2"}, seed=3)
        desk.join(0, "anna")
        desk.join(1, "ben")
        self.play(desk, 4)
        self.assertEqual((desk.max_players, desk.frame), (2, 4))
        self.assertEqual([(seats, message.name) for seats, message in desk.outputs], [(1, "turn 0"), (2, "turn 1"), (1, "turn 2"), (2, "turn 3")])
        self.assertEqual(len(desk.of(Inner)), 4)
        self.assertEqual(desk.logged[0], ("info", "anna joins"))
        desk.clear()
        self.play(desk, 100)
        self.assertTrue(desk.ended)
        self.assertEqual([seat for seat, _ in desk.results], [0, 1])

    def test_the_same_seed_is_the_same_match_also_over_a_restore(self):
        desks = [Desk(Duel, seed=5), Desk(Duel, seed=5), Desk(Duel, seed=6)]
        for desk in desks:
            for _ in range(3):
                self.play(desk, 2)
                if desk is desks[1]:
                    desk.restore()
        self.assertEqual(desks[0].state, desks[1].state)
        self.assertNotEqual(desks[0].state, desks[2].state)

    def test_attributes_have_to_be_declared(self):
        desk = Desk(Duel)
        with self.assertRaises(AttributeError) as caught:
            desk.game.forgotten = 1
        self.assertIn("Duel declares no attribute 'forgotten'", str(caught.exception))

    def test_it_is_told_something_kicks_and_keeps_out(self):
        desk = Desk(Duel)
        with self.assertRaisesRegex(arenad.Refused, "^not you$"):
            desk.join(0, "eve")
        desk.join(1, "ann")
        self.assertEqual([desk.signal("kick", "1"), desk.signal("kick", "1"), desk.signal("kick", "0")], ["gone", "", ""])
        with self.assertRaisesRegex(arenad.Refused, "^the game knows no signal dance$"):
            desk.signal("dance")
        with self.assertRaisesRegex(TypeError, "on_signal has replied 5"):
            desk.signal("number")
        self.assertEqual(desk.logged, [("info", "ann joins")])
        desk.tick(2)
        self.assertEqual(desk.logged[1:], [("info", "1 left: 3")])
        self.assertEqual(desk.kicked, [(1, "go")])
        desk.event(1, Inner(name="in vain"))
        self.assertEqual(desk.of(Inner), [])
        desk.join(1, "ann")
        desk.event(1, Inner(name="back"))
        self.assertEqual([one.name for one in desk.of(Inner)], ["back"])
        # It leaves once, whoever is quicker; and before somebody else has the seat.
        desk.signal("kick", "1")
        desk.leave(1)
        desk.tick(2)
        self.assertEqual(desk.logged[-1], ("info", "1 left: 0"))
        desk.join(1, "ann")
        desk.signal("kick", "1")
        desk.join(1, "bob")
        desk.event(1, Inner(name="bob's"))
        self.assertEqual([one.name for one in desk.of(Inner)], ["back", "bob's"])
        self.assertEqual([text for _, text in desk.logged[-3:]], ["ann joins", "1 left: 3", "bob joins"])

    def test_a_state_that_is_too_large_is_told(self):
        desk = Desk(Duel)
        desk.state.datas = [b"x" * Duel.max_state_bytes]
        with self.assertRaisesRegex(ValueError, "more than max_state_bytes of Duel, 262144"):
            desk.restore()

    def test_options_are_there_in_on_init_alone(self):
        desk = Desk(Duel, params={"players": "2"})
        for _ in range(2):
            with self.assertRaises(AttributeError):
                desk._arena.ctx.options
            desk.restore()

    def test_only_the_game_s_events_are_taken(self):
        with self.assertRaises(TypeError):
            Desk(Duel).event(0, Lists())

    def test_bad_parameters_refuse_the_start(self):
        for given in ("0", "5", "x", ""):
            with self.assertRaises(ValueError) as caught:
                Desk(Duel, params={"players": given})
            self.assertIn(f"players={given}: expected a number from 1 to 4", str(caught.exception))


    def test_all_but_one_is_said_by_a_mask_turned_over(self):
        class Others(Duel):
            def on_event(self, ctx, seat, event):
                ctx.send(Inner(a=seat), to=~(1 << seat))
                ctx.send(Inner(a=seat), to=1 << 64)

        desk = Desk(Others)
        desk.join(0, "anna")
        desk.event(0, Inner())
        self.assertEqual([seats for seats, _ in desk.outputs], [0xFFFF_FFFF_FFFF_FFFE])


class Loading(unittest.TestCase):
    def test_a_package_has_one_game(self):
        class Module:
            __name__ = "shop"

        module = Module()
        with self.assertRaises(GameError) as caught:
            find_game(module)
        self.assertIn("must have one class that derives from arenad.Game", str(caught.exception))
        module.first = Duel
        self.assertIs(find_game(module), Duel)

        class Later(Duel):
            pass

        module.second = Later
        self.assertIs(find_game(module), Later)

    def test_what_a_game_says_of_itself_is_checked(self):
        for attribute, value, said in (
            ("tick_hz", 1000, "tick_hz is 1000"),
            ("max_players", 0, "max_players is 0"),
            ("on_exception", "ignore", 'must be "recover" or "quarantine"'),
            ("on_tick", arenad.Game.on_tick, "has no on_tick"),
            ("version", 1.0, "version is 1.0, and must be a text"),
            ("name", None, "name is None"),
            ("Events", Inner, "Events must be a tuple of classes"),
        ):
            bad = type("Bad", (Duel,), {attribute: value})
            with self.assertRaises(GameError) as caught:
                checked(bad)
            self.assertIn(said, str(caught.exception))

    def test_an_exception_is_told_with_its_place(self):
        try:
            Desk(Duel).event(0, Numbers())
        except ZeroDivisionError as error:
            lines = text_of(error).splitlines()
        self.assertRegex(lines[0], r"^ZeroDivisionError: a mistake \(python/desk_test.py:\d+, in on_event\)$")
        self.assertRegex(lines[1], r"^on_event \(python/desk_test.py:\d+\): raise ZeroDivisionError")


if __name__ == "__main__":
    unittest.main()
