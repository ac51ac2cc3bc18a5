// SPDX-License-Identifier: BSL-1.0
#include <waybill/engine/run/attempt_end.hpp>

#include "support/catch.hpp"

#include <asio/error.hpp>

#include <exception>
#include <new>
#include <stdexcept>
#include <system_error>

using namespace waybill;
using namespace waybill::detail;
using waybill::detail::attempt_end;

namespace {

template <class Thrown>
attempt_end end_by(const Thrown& what) {
    return attempt_end(std::make_exception_ptr(what));
}

}  // namespace

TEST_CASE("an attempt that threw nothing has delivered", "[engine]") {
    for (const attempt_end& end : {attempt_end(), attempt_end(nullptr)}) {
        CHECK(end.delivered());
        CHECK(end.why() == nullptr);
        CHECK_FALSE(end.said_by_protocol());
        CHECK_NOTHROW(end.rethrow_if_of_store());
    }
}

TEST_CASE("what a protocol says of an attempt's end is kept as it said it", "[engine]") {
    const attempt_end end = end_by(failure(disposition::busy, make_http_error(503), {}, std::chrono::seconds(7), 3));
    CHECK_FALSE(end.delivered());
    REQUIRE(end.said_by_protocol());
    CHECK(end.why()->what_to_do() == disposition::busy);
    CHECK(end.why()->code() == make_http_error(503));
    CHECK(end.why()->retry_after() == std::chrono::seconds(7));
    CHECK(end.why()->item() == 3);
}

TEST_CASE("an error of the library's own fails the job, and the store's is nobody's fault", "[engine]") {
    const attempt_end own = end_by(error(errc::unknown_protocol, "x"));
    REQUIRE(own.why() != nullptr);
    CHECK(own.why()->what_to_do() == disposition::permanent);
    CHECK(own.why()->details().detail == "x");
    CHECK_FALSE(own.said_by_protocol());
    CHECK_NOTHROW(own.rethrow_if_of_store());

    for (const errc code : {errc::store_full, errc::store_failed}) {
        const attempt_end of_store = end_by(error(code, "s"));
        CHECK_FALSE(of_store.delivered());
        CHECK(of_store.why() == nullptr);
        CHECK_THROWS_AS(of_store.rethrow_if_of_store(), error);
    }
}

TEST_CASE("whatever else is thrown is tried again", "[engine]") {
    const attempt_end of_system = end_by(std::system_error(asio::error::no_descriptors));
    CHECK(of_system.why()->code() == asio::error::no_descriptors);
    const attempt_end of_memory = end_by(std::bad_alloc());
    const attempt_end of_app = end_by(std::runtime_error("the app's\n own"));
    const attempt_end of_no_class = end_by(42);
    CHECK(of_app.why()->details().detail.find("own") != std::string::npos);
    CHECK(of_app.why()->details().detail.find('\n') == std::string::npos);
    for (const attempt_end* end : {&of_memory, &of_app, &of_no_class}) {
        CHECK(end->why()->code() == errc::transport_failed);
    }
    for (const attempt_end* end : {&of_system, &of_memory, &of_app, &of_no_class}) {
        CHECK(end->why()->what_to_do() == disposition::retry);
        CHECK_FALSE(end->said_by_protocol());
    }
}
