// SPDX-License-Identifier: BSL-1.0
#include <waybill/protocol/http_rules.hpp>

#include "support/catch.hpp"
#include "support/fault_scripts.hpp"
#include "support/http_server.hpp"
#include "support/temp_dir.hpp"
#include "support/transport_loop.hpp"

#include <algorithm>
#include <chrono>
#include <deque>
#include <exception>
#include <optional>
#include <string>
#include <thread>
#include <vector>

// Every fault × what may be repeated and what not × fresh and kept connections × plain and TLS ×
// bodies that leave at once, bodies that are streamed, and bodies that wait in this machine's buffers.
namespace waybill::test {
namespace {

enum class body_kind {
    small,     ///< leaves in one piece with the head
    buffered,  ///< handed over as a whole, to libcurl and to the kernel, long before the server has read it
    streamed,  ///< longer than all buffers where the fault comes in mid-body
};

struct setting {
    bool idempotent;
    bool kept;
    body_kind body;
};

/// One setting, on a thread of its own: what is wrong is collected, for Catch2 listens to one thread only.
class matrix {
public:
    matrix(const certificate_authority& authority, const std::optional<server_identity>& tls, setting how)
        : server_(options_of(tls)), loop_(trusting(authority)), how_(how) {}

    void meet(const fault& f) {
        now_ = f.how.name() + (how_.idempotent ? ", idempotent" : "") + (how_.kept ? ", kept" : "") +
               (how_.body == body_kind::small ? ""
                : streamed()                  ? ", streamed"
                                              : ", buffered");
        if (how_.kept) {
            expect(loop_.perform(put_to(server_.url("/before")), "x").status == 201, "the request before it");
        }
        const std::size_t before = server_.requests().size();
        server_.next(f.how);
        request what = how_.idempotent ? put_to(server_.url("/x")) : post_to(server_.url("/x"));
        what.fresh_connection = !how_.kept;
        if (f.stalls) {
            // A busy machine must not be taken for the server: only the watchdog that is meant is quick.
            const std::chrono::milliseconds quick(400);
            (f.in_mid_body && how_.body != body_kind::small ? what.limits.stall : what.limits.response) = quick;
        }
        const response answer = loop_.perform(what, body_for(f));
        now_ += ": " + std::to_string(answer.status) + " " + answer.failure.message() + " " + answer.transport_text;
        check(f, answer, before);
        // Nothing a server does may spoil the next request.
        expect(loop_.perform(put_to(server_.url("/after")), "x").status == 201, "the request after it");
        expect(server_.scripts_left() == 0, "it was met");
    }

    [[nodiscard]] const std::string& complaints() const { return complaints_; }
    void complain(const std::string& what) { complaints_ += now_ + ": " + what + "\n"; }

private:
    static http_server_options options_of(const std::optional<server_identity>& tls) {
        http_server_options how = reads_little();
        how.tls = tls;
        return how;
    }

    void expect(bool holds, const std::string& what) {
        if (!holds) {
            complain("not " + what);
        }
    }

    [[nodiscard]] bool streamed() const noexcept { return how_.body == body_kind::streamed; }

    [[nodiscard]] const std::string& body_for(const fault& f) const {
        static const std::string small = random_bytes(10'000);
        static const std::string streamed = random_bytes(200'000);
        static const std::string buffered = random_bytes(1'000'000);
        static const std::string endless = random_bytes(beyond_buffers);
        switch (how_.body) {
            case body_kind::small: return small;
            case body_kind::buffered: return buffered;
            case body_kind::streamed: break;
        }
        return f.in_mid_body ? endless : streamed;
    }

    void check(const fault& f, const response& answer, std::size_t before) {
        expect(answer.status != 0 || answer.failure, "an answer or a failure");
        const auto judged = waybill::judge(answer, how_.idempotent);
        if (how_.body != body_kind::small && (f.after == aftermath::open || f.after == aftermath::delivered)) {
            // The client is done when the kernel has its last byte, the server only when it has read it.
            server_.log().wait_until("a whole body", [&](const http_log::requests& all) {
                return all.size() > before && all[before].complete;
            });
        }
        auto copies = server_.requests();
        copies.erase(copies.begin(), copies.begin() + static_cast<std::ptrdiff_t>(before));
        const auto complete = std::count_if(copies.begin(), copies.end(), [](const auto& r) { return r.complete; });
        if (!how_.idempotent) {
            expect(copies.size() <= 1, "sent once");
        }
        // A kept connection that dies before it took anything is the one thing libcurl repeats unasked.
        const bool repeated = how_.kept && how_.idempotent && copies.size() == 2 && copies.front().body_bytes == 0;
        if (how_.body != body_kind::small && repeated) {
            expect(judged.accepted && complete == 1, "accepted once");
        } else if (streamed() || (how_.body == body_kind::buffered && !f.in_mid_body)) {
            expect(copies.size() <= 1, "sent once");
            check_certain(f, answer, judged, complete);
        } else if (how_.body == body_kind::buffered) {
            expect(copies.size() <= 1, "sent once");
            check_buffered(f, answer, judged, complete);
        } else if (!judged.accepted && !how_.idempotent && judged.what == disposition::retry && answer.status == 0) {
            expect(complete == 0, "incomplete, or sending it again makes a duplicate");
        }
        if (judged.accepted) {
            expect(answer.may_have_left && answer.has_left && complete >= 1, "complete, though accepted");
        }
    }

    // All of it may have left, and not all of it has: an error is ambiguous, a success is none.
    void check_buffered(const fault& f, const response& answer, const waybill::verdict& judged,
                        std::ptrdiff_t complete) {
        expect(judged.accepted == (f.after == aftermath::delivered), "accepted exactly when delivered");
        if (f.after == aftermath::incomplete) {
            expect(!answer.has_left && complete == 0, "incomplete");
            const bool open = answer.may_have_left && !how_.idempotent;
            const bool again = how_.kept && judged.what == disposition::again;
            const bool later = judged.what == disposition::retry || judged.what == disposition::network;
            expect(again || (open ? judged.what == disposition::ambiguous : later), "tried again or asked");
        }
    }

    void check_certain(const fault& f, const response& answer, const waybill::verdict& judged,
                       std::ptrdiff_t complete) {
        const disposition what = judged.what;
        const std::string after(to_string(f.after));
        expect(judged.accepted == (f.after == aftermath::delivered), "accepted exactly when delivered");
        switch (f.after) {
            case aftermath::incomplete:
                expect(!answer.may_have_left && !answer.has_left && complete == 0, after);
                expect(what == disposition::retry || what == disposition::network ||
                           (how_.kept && what == disposition::again),
                       "tried again");
                break;
            case aftermath::open:
                expect(answer.may_have_left && complete == 1, after);
                expect(how_.idempotent || what == disposition::ambiguous, "ambiguous");
                break;
            case aftermath::delivered: expect(answer.has_left && complete == 1, after); break;
            case aftermath::try_later:
                expect(what != disposition::permanent && what != disposition::ambiguous, after);
                break;
            case aftermath::credentials: expect(what == disposition::credentials, after); break;
            case aftermath::refused: expect(what == disposition::permanent, after); break;
            case aftermath::see_there:
                expect(answer.may_have_left && complete == 1, after);
                expect(what == (how_.idempotent ? disposition::permanent : disposition::ambiguous), after);
                break;
        }
    }

    http_server server_;
    transport_loop loop_;
    setting how_;
    std::string now_;
    std::string complaints_;
};

void meet_all(bool tls) {
    certificate_authority authority;
    const std::optional<server_identity> identity = tls ? std::optional(authority.issue()) : std::nullopt;
    const std::vector<fault> faults = all_faults();
    std::deque<std::string> complaints;
    std::vector<std::thread> threads;
    for (const bool idempotent : {true, false}) {
        for (const bool kept : {false, true}) {
            for (const body_kind body : {body_kind::small, body_kind::buffered, body_kind::streamed}) {
                std::string& mine = complaints.emplace_back();
                threads.emplace_back([&, idempotent, kept, body] {
                    matrix one(authority, identity, setting{idempotent, kept, body});
                    for (const fault& f : faults) {
                        try {
                            one.meet(f);
                        } catch (const std::exception& e) {
                            one.complain(e.what());
                        }
                    }
                    mine = one.complaints();
                });
            }
        }
    }
    for (std::thread& t : threads) {
        t.join();
    }
    for (const std::string& one : complaints) {
        INFO(one);
        CHECK(one.empty());
    }
}

}  // namespace

TEST_CASE("no fault of a server is mistaken for something else") {
    meet_all(false);
}

TEST_CASE("no fault of a TLS server is mistaken for something else") {
    meet_all(true);
}

}  // namespace waybill::test
