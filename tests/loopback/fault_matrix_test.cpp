// SPDX-License-Identifier: BSL-1.0
#include <waybill/protocol/http_rules.hpp>

#include "support/catch.hpp"
#include "support/fault_scripts.hpp"
#include "support/http_server.hpp"
#include "support/temp_dir.hpp"
#include "support/transport_loop.hpp"

#include <algorithm>
#include <chrono>
#include <string>

// Every fault × what may be repeated and what not × fresh and kept connections × plain and TLS ×
// bodies that leave at once and bodies that are streamed.
namespace waybill::test {
namespace {

struct setting {
    bool idempotent;
    bool kept;
    bool streamed;
};

class matrix {
public:
    matrix(bool tls, setting how) : server_(options_of(tls)), loop_(trusting(authority_)), how_(how) {}

    void meet(const fault& f) {
        CAPTURE(f.how.name(), how_.idempotent, how_.kept, how_.streamed);
        if (how_.kept) {
            REQUIRE(loop_.perform(put_to(server_.url("/before")), "x").status == 201);
        }
        const std::size_t before = server_.requests().size();
        server_.next(f.how);
        request what = how_.idempotent ? put_to(server_.url("/x")) : post_to(server_.url("/x"));
        what.fresh_connection = !how_.kept;
        if (f.stalls) {
            what.limits.stall = what.limits.answer = std::chrono::milliseconds(80);
        }
        const response answer = loop_.perform(what, body_for(f));
        CAPTURE(answer.status, answer.failure.message(), answer.transport_text);
        check(f, answer, before);
        // Nothing a server does may spoil the next request.
        CHECK(loop_.perform(put_to(server_.url("/after")), "x").status == 201);
        CHECK(server_.scripts_left() == 0);
    }

private:
    http_server_options options_of(bool tls) {
        http_server_options how = reads_little();
        if (tls) {
            how.tls = authority_.issue();
        }
        return how;
    }

    // Small ones leave in one piece with the head, the others are streamed.
    [[nodiscard]] const std::string& body_for(const fault& f) const {
        static const std::string small = random_bytes(10'000);
        static const std::string streamed = random_bytes(200'000);
        static const std::string endless = random_bytes(beyond_buffers);
        if (!how_.streamed) {
            return small;
        }
        return f.in_mid_body ? endless : streamed;
    }

    void check(const fault& f, const response& answer, std::size_t before) {
        CHECK((answer.status != 0 || answer.failure));
        const auto judged = waybill::judge(answer, how_.idempotent);
        if (how_.streamed && (f.after == aftermath::open || f.after == aftermath::delivered)) {
            // The client is done when the kernel has its last byte, the server only when it has read it.
            server_.log().wait_until("a whole body", [&](const http_log::requests& all) {
                return all.size() > before && all[before].complete;
            });
        }
        auto copies = server_.requests();
        copies.erase(copies.begin(), copies.begin() + static_cast<std::ptrdiff_t>(before));
        const auto complete = std::count_if(copies.begin(), copies.end(), [](const auto& r) { return r.complete; });
        if (!how_.idempotent) {
            CHECK(copies.size() <= 1);
        }
        // A kept connection that dies before it took anything is the one thing libcurl repeats unasked.
        const bool repeated = how_.kept && how_.idempotent && copies.size() == 2 && copies.front().body_bytes == 0;
        if (how_.streamed && repeated) {
            CHECK(judged.accepted);
            CHECK(complete == 1);
        } else if (how_.streamed) {
            CHECK(copies.size() <= 1);
            check_certain(f, answer, judged, complete);
        } else if (!judged.accepted && !how_.idempotent && judged.what == disposition::retry && answer.status == 0) {
            CHECK(complete == 0);  // or sending it again makes a duplicate
        }
        if (judged.accepted) {
            CHECK(answer.request_complete);
        }
    }

    void check_certain(const fault& f, const response& answer, const waybill::verdict& judged,
                       std::ptrdiff_t complete) {
        CAPTURE(to_string(f.after));
        CHECK(judged.accepted == (f.after == aftermath::delivered));
        switch (f.after) {
            case aftermath::incomplete:
                CHECK_FALSE(answer.request_complete);
                CHECK(complete == 0);
                CHECK((judged.what == disposition::retry || (how_.kept && judged.what == disposition::again)));
                break;
            case aftermath::open:
                CHECK(answer.request_complete);
                CHECK(complete == 1);
                if (!how_.idempotent) {
                    CHECK(judged.what == disposition::ambiguous);
                }
                break;
            case aftermath::delivered:
                CHECK(answer.request_complete);
                CHECK(complete == 1);
                break;
            case aftermath::try_later:
                CHECK((judged.what == disposition::retry || judged.what == disposition::busy));
                break;
            case aftermath::credentials: CHECK(judged.what == disposition::credentials); break;
            case aftermath::refused: CHECK(judged.what == disposition::permanent); break;
        }
    }

    certificate_authority authority_;
    http_server server_;
    transport_loop loop_;
    setting how_;
};

void meet_all(bool tls) {
    setting how{};
    how.idempotent = GENERATE(true, false);
    how.kept = GENERATE(false, true);
    how.streamed = GENERATE(false, true);
    matrix all(tls, how);
    for (const fault& f : all_faults()) {
        all.meet(f);
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
