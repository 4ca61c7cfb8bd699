/* The binary interface between arena-worker and a game module, a shared object. Plain C, so that a module may be made with any
 * compiler or language. Games in C++ use game.h, which is built on this file.
 *
 * A module exports one symbol:
 *
 *     const arenad_game* arenad_game_module(uint32_t host_abi_version);
 *
 * It returns its table, or NULL if it cannot live with this host. If NULL has another reason, a module may export a second symbol that gives
 * it as a text, valid until the module is unloaded:
 *
 *     const char* arenad_game_module_error(void);
 *
 * The host looks at abi_version before anything else and refuses a module of another version. Tables only grow at their end; table_bytes tells how far one reaches.
 *
 * Order of calls for one arena: create, then init (a new arena) or restore (an arena that goes on from a snapshot), then for each
 * frame: join/leave/drain/signal as they come, event for each event, tick; checkpoint between frames; destroy at the end. All from
 * one thread. Everything that a callback learns (time, seed, events and their order) comes from the frame log, so a frame that is run
 * again gets the same input and must give the same state and the same outputs.
 *
 * Messages are single Cap'n Proto segments: words of 8 bytes, the root pointer first, no segment table. */
#ifndef ARENAD_MODULE_ABI_H
#define ARENAD_MODULE_ABI_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define ARENAD_ABI_VERSION 1u
#define ARENAD_ENTRY_SYMBOL "arenad_game_module"
#define ARENAD_ERROR_SYMBOL "arenad_game_module_error"

#define ARENAD_MAX_REPLY_BYTES 32768u

enum { ARENAD_EVERYONE = 0 }; /* audience: 0, or one bit for each of the seats 0..63 */

typedef enum arenad_verdict {
  ARENAD_OK = 0,
  ARENAD_MALFORMED = 1, /* event: not a valid message of this type; nothing was applied */
  ARENAD_UNKNOWN = 2,   /* event: the game has no such type; nothing was applied */
  ARENAD_REFUSED =
      3, /* init: bad parameters; restore: this state cannot be taken over; join_attempt: not this player; signal: not done */
  ARENAD_FAILED = 4, /* the callback failed; the arena cannot go on from here */
  /* event: the callback failed because of this very event, and would each time. As ARENAD_FAILED, but the event is left out at once, when the arena is
   * recovered, and not only when it has ended two workers. */
  ARENAD_BLAMED = 5
} arenad_verdict;

typedef enum arenad_log_level {
  ARENAD_LOG_DEBUG = 0,
  ARENAD_LOG_INFO = 1,
  ARENAD_LOG_WARNING = 2,
  ARENAD_LOG_ERROR = 3
} arenad_log_level;

typedef struct arenad_param {
  const char* key;
  const char* value;
} arenad_param;

/* What init may change of the module's defaults, for this one arena. */
typedef struct arenad_arena_options {
  uint32_t tick_hz;     /* 1..128 ticks a second, 0: no ticks, a frame whenever events have come */
  uint32_t max_players; /* 1..64 seats */
} arenad_arena_options;

typedef struct arenad_frame {
  uint64_t number;       /* 1 for the first frame */
  uint64_t time_unix_ns; /* the wall clock when the frame was decided */
  uint64_t seed;         /* 64 random bits of this frame */
  uint64_t dt_ns;        /* length of a tick; 0 for a game without ticks */
} arenad_frame;

typedef struct arenad_event {
  uint64_t type;     /* Cap'n Proto type id of the root struct */
  uint64_t sequence; /* 1, 2, 3... within the sender's channel */
  const void* words; /* a private, aligned copy; valid during the call */
  size_t word_count;
  uint32_t seat;
} arenad_event;

/* What the host offers. Valid as long as the game object lives; to be called only from within a callback. */
typedef struct arenad_host {
  uint32_t abi_version;
  uint32_t table_bytes;
  void* self;
  /* Space for an output of up to word_count words, zeroed, in the output ring itself. NULL: the outputs of this frame fill the ring. */
  void* (*output_reserve)(void* self, size_t word_count);
  /* Adds the reserved output, of which the first word_count words are used, to this frame's outputs. */
  void (*output_commit)(void* self, uint64_t type, uint64_t audience, size_t word_count);
  /* Records a durable result for a seat. Delivered to the database exactly once. 0 on success, -1: too large or too many. */
  int (*result)(void* self, uint32_t seat, uint64_t type, const void* words, size_t word_count);
  /* Ends the arena after this frame. */
  void (*end)(void* self);
  void (*log)(void* self, arenad_log_level level, const char* text, size_t bytes);
  /* Takes the seat from its player and tells the reason, a text of at most 255 bytes. From the next frame on nothing more of it is applied; in
   * that frame it leaves, for ARENAD_KICKED. 0 on success, -1: nobody has this seat. */
  int (*kick)(void* self, uint32_t seat, const char* reason, size_t bytes);
  /* From signal alone: what is answered to who has sent it, at most ARENAD_MAX_REPLY_BYTES; of several the last. 0 on success, -1: too large. */
  int (*reply)(void* self, const char* text, size_t bytes);
  /* The game's language has put off collecting garbage as far as it does, for want of time between frames: counted, for an alert. */
  void (*garbage_put_off)(void* self);
} arenad_host;

typedef struct arenad_game {
  uint32_t abi_version; /* ARENAD_ABI_VERSION */
  uint32_t table_bytes; /* sizeof(arenad_game) */
  const char* name;     /* letters, digits, '-' and '_' */
  const char* version;
  uint64_t state_type;  /* Cap'n Proto type id of the state struct */
  uint64_t schema_hash; /* changes whenever the layout of the state does */
  arenad_arena_options defaults;
  uint64_t max_state_bytes;        /* the largest snapshot */
  uint64_t max_frame_output_bytes; /* the outputs of one frame; the output ring is sized from it */

  void (*warm_up)(void); /* may be NULL. In the template, before workers are forked: load maps, fill caches */
  void* (*create)(const arenad_host* host, const arenad_frame* frame); /* frame is updated in place before each frame */
  void (*destroy)(void* game);
  arenad_verdict (*init)(void* game, const arenad_param* params, size_t count, arenad_arena_options* options);
  arenad_verdict (*restore)(void* game, const void* words, size_t word_count, uint64_t epoch);
  arenad_verdict (*join)(void* game, uint32_t seat, const char* player, size_t bytes); /* may be NULL */
  arenad_verdict (*leave)(void* game, uint32_t seat, uint32_t reason);                 /* may be NULL; arenad_leave_reason */
  arenad_verdict (*event)(void* game, const arenad_event* event);                      /* may be NULL */
  arenad_verdict (*tick)(void* game);
  arenad_verdict (*drain)(void* game, uint64_t deadline_unix_ns); /* may be NULL */
  /* Writes the state into words (zeroed). Returns the words used, 0 if they do not suffice or, with a last_error, if it cannot be saved. Must not change
   * the state. */
  size_t (*checkpoint)(void* game, void* words, size_t capacity_words);
  /* May be NULL. Why the last callback gave ARENAD_REFUSED, ARENAD_FAILED or ARENAD_BLAMED, or checkpoint 0; empty: for no other reason than is said
   * there. Valid until the next call. */
  const char* (*last_error)(void* game);
  /* May be NULL. The types that the game declares, as a Cap'n Proto message in stream framing whose root is GameSchema
   * (control.capnp): of the state, the events and the results, with all that they are made of and the annotations of their fields. Only tools
   * look at it, to show events as text, and to show and add up results by the names of their fields. */
  const void* (*schema)(size_t* bytes);
  /* May be NULL. Instead of restore, for a state that another version of this game has written: old_version is that one's `version`,
   * old_schema_hash its `schema_hash`. ARENAD_REFUSED: it cannot be taken over; then the old version goes on. */
  arenad_verdict (*migrate)(void* game, const char* old_version, uint64_t old_schema_hash, const void* words, size_t word_count,
                            uint64_t epoch);
  /* May be NULL. Called once between two frames when all that is due has been done: the time until the next tick, in nanoseconds, is the game's,
   * to collect its garbage and the like; of a game without ticks it is a millisecond; 0 if the
   * next tick is due already. Must not change the state. */
  void (*idle)(void* game, uint64_t ns_left);
  /* May be NULL. Where the game is in a language of its own, for a report of a slow frame or of a death: one call a line, innermost first,
   * "function (file:line)". The first line may begin with "native code, " and tell more: the innermost call of the language has called a function
   * that is none of it, and that has not returned. Writes at most `bytes` characters into text and returns how many. Called from handlers of signals, in the middle of
   * anything: it must take no lock and allocate nothing. */
  size_t (*stack)(char* text, size_t bytes);
  /* May be NULL. This frame was run again and has given other outputs than the first time; the game may tell, by log, what of it was not a
   * function of its state and the frame. Called once for the first such frame of an incarnation. */
  void (*diverged)(void* game, uint64_t frame);
  /* May be NULL. In each worker, once, after it has been forked and before it is told which arena it is: that is mostly long before, and nobody waits. For
   * what a process has to do for itself, such as touching the memory that it is about to change. */
  void (*prepare)(void);
  /* May be NULL. Right before join, in the same frame. ARENAD_REFUSED: this player does not get in, and is told last_error; the game hears
   * nothing more of it. Must not change the state. */
  arenad_verdict (*join_attempt)(void* game, uint32_t seat, const char* player, size_t bytes);
  /* May be NULL. Somebody with the right to operate, or the studio's own services, tell the game something (arenactl tell). name: 1 to 64 letters, digits, '.', '-' and
   * '_'. It is part of its frame, and so it is applied once, also when the worker dies. ARENAD_UNKNOWN: the game knows no such signal.
   * ARENAD_REFUSED: not done, and nothing was changed; last_error is told. ARENAD_FAILED, or the death of the worker: the arena is recovered as it was before the
   * frame, and the signal is left out. */
  arenad_verdict (*signal)(void* game, const char* name, size_t name_bytes, const char* payload, size_t payload_bytes);
} arenad_game;

typedef enum arenad_leave_reason {
  ARENAD_LEFT = 0,     /* the client detached */
  ARENAD_DROPPED = 1,  /* the client's connection is gone */
  ARENAD_EXPELLED = 2, /* the client broke the protocol */
  ARENAD_KICKED = 3    /* by the game */
} arenad_leave_reason;

typedef const arenad_game* (*arenad_game_module_fn)(uint32_t host_abi_version);
typedef const char* (*arenad_game_module_error_fn)(void);

#ifdef __cplusplus
}
#endif
#endif
