// SPDX-License-Identifier: BSL-1.0
#include <waybill/protocol/shared/finishing.hpp>

#include "support/catch.hpp"

namespace waybill::test {
namespace {

using detail::ending;
using detail::finishing;

response answered(int status) {
    response r;
    r.status = status;
    r.may_have_left = true;
    r.has_left = true;
    return r;
}

finishing after(std::initializer_list<int> statuses) {
    finishing last;
    for (const int status : statuses) {
        last.note(answered(status));
    }
    return last;
}

}  // namespace

TEST_CASE("what a complete upload is depends on what its last request was answered", "[protocol]") {
    CHECK(finishing().now_complete(false) == ending::delivered);
    CHECK(after({204}).now_complete(false) == ending::delivered);
    for (const int lost : {0, 502, 504, 520, 524, 599}) {
        CHECK(after({lost}).now_complete(true) == ending::delivered);
    }
    for (const int no : {302, 400, 401, 403, 413, 422, 460}) {
        CHECK(after({no}).now_complete(false) == ending::refused);
    }
    for (const int both : {408, 409, 425, 429, 503, 500, 501, 507}) {
        CHECK(after({both}).now_complete(false) == ending::unknown);
    }
}

TEST_CASE("a request whose answer was lost may be what finished an upload", "[protocol]") {
    CHECK(after({0, 409}).now_complete(false) == ending::delivered);
    CHECK(after({502, 503}).now_complete(false) == ending::delivered);
    CHECK(after({0, 422}).now_complete(false) == ending::unknown);
    CHECK(after({0, 500}).now_complete(false) == ending::unknown);
    response cut;  // its last byte had not left
    finishing last;
    last.note(cut);
    last.note(answered(409));
    CHECK(last.now_complete(false) == ending::unknown);
}

TEST_CASE("an answer in doubt whose mark is gone was decided about, whoever had asked", "[protocol]") {
    for (const int doubtful : {500, 507}) {
        finishing last = after({doubtful});
        last.note_decision(true);
        CHECK(last.now_complete(true) == ending::unknown);
        last.note_decision(false);
        CHECK(last.now_complete(false) == ending::send_again);
    }
    for (const int clear : {204, 409, 422, 503, 502}) {  // they leave no mark
        finishing last = after({clear});
        last.note_decision(false);
        CHECK(last.now_complete(false) != ending::send_again);
    }
}

TEST_CASE("what was told to the app is its decision, once it has decided", "[protocol]") {
    finishing last = after({500});
    last.reported = true;
    CHECK(last.now_complete(true) == ending::unknown);
    CHECK(last.now_complete(false) == ending::send_again);
    last.note(answered(422));
    CHECK(last.now_complete(false) == ending::refused);
    last.reopen();
    CHECK(last.now_complete(false) == ending::delivered);
}

TEST_CASE("what is known of the last request is the same after it was stored", "[protocol]") {
    for (std::uint64_t n = 0; n <= finishing::most_encoded; ++n) {
        CHECK(finishing::decode(n).encode() == n);
    }
}

}  // namespace waybill::test
