#include "chaos/faults/attach_request.h"
#include "chaos/faults/catalogue.h"
#include "chaos/faults/control_socket.h"
#include "chaos/stage.h"

namespace arenad::chaos {
namespace {

constexpr int kWholeAttachRequests = 20;
constexpr uint64_t kAttachAnswerMs = 10'000;

}  // namespace

Fault client_leaves_while_it_attaches() {
  return {.name = "client.leaves_while_it_attaches",
          .does =
              "Clients that attach to the arena go away: behind each byte of their request, before the answer, and with the "
              "answer and its "
              "descriptors unread",
          .holds = "nobody waits for them, their places are given up, and nothing of them is left",
          .uses = "hostile client",
          .prepare = wait_for_arenad,
          .inject = [](Stage& stage, const Strike& strike) -> Result<void> {
            const std::string& arena = stage.arenas()[strike.arena].name;
            for (const auto as : {AttachRequest::As::mallory, AttachRequest::As::observer}) {
              auto request = AttachRequest::make(arena, as);
              if (!request) return request.error();
              for (size_t count = 1; count < request->bytes(); ++count) {
                auto sent = with_connection(stage, [&](test::RawControl& raw) { request->send(raw, count); });
                if (!sent) return sent;
                if (count % 20 == 0) stage.turn();
              }
              for (int i = 0; i < kWholeAttachRequests; ++i) {
                auto whole = AttachRequest::make(arena, as);
                if (!whole) return whole.error();
                auto sent = with_connection(stage, [&](test::RawControl& raw) {
                  whole->send(raw);
                  if (i % 2 == 0) raw.gets_an_answer(kAttachAnswerMs);
                });
                if (!sent) return sent;
                stage.turn();
              }
            }
            return {};
          },
          .settled =
              [](Stage& stage, const Strike& strike) {
                // Only the player is there.
                const auto status = stage.rig().status(stage.arenas()[strike.arena].id);
                return status && status->clients <= 1;
              }};
}

}  // namespace arenad::chaos
