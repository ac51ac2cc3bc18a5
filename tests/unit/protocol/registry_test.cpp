// SPDX-License-Identifier: BSL-1.0
#include <waybill/protocol/registry.hpp>

#include "support/catch.hpp"
#include "support/run.hpp"
#include "unit/protocol/fake_session.hpp"

#include <asio/io_context.hpp>

#include <memory>
#include <string>

namespace waybill::test {
namespace {

// Does nothing but upload.
class plain final : public protocol {
public:
    explicit plain(std::string s) : setting(std::move(s)) {}
    void check(const waybill::job& /*job*/) const override {}
    asio::awaitable<void> upload(session& /*job*/) override { co_return; }
    std::string setting;
};

registry::factory makes(std::string mark) {
    return [mark](const protocol_spec& spec) {
        return std::make_unique<plain>(mark + (spec.settings.empty() ? "" : spec.settings.front().second));
    };
}

std::string made_by(const registry& known, const protocol_spec& spec) {
    const std::unique_ptr<protocol> made = known.make(spec);
    return dynamic_cast<const plain&>(*made).setting;
}

TEST_CASE("a protocol is made from its stored name and settings", "[protocol][registry]") {
    registry known;
    known.add("put", makes("put:")).add("pigeon", makes("pigeon:"));
    CHECK(made_by(known, {"put", {}}) == "put:");
    CHECK(made_by(known, {"pigeon", {{"altitude", "low"}}}) == "pigeon:low");
}

TEST_CASE("a protocol of the same name replaces the one before", "[protocol][registry]") {
    registry known;
    known.add("put", makes("first")).add("put", makes("second"));
    CHECK(made_by(known, {"put", {}}) == "second");
}

TEST_CASE("a name nobody registered is refused and told", "[protocol][registry]") {
    registry known;
    known.add("put", makes("put"));
    for (const char* name : {"", "Put", "put ", "tus"}) {
        CHECK(error_of([&] { static_cast<void>(known.make({name, {}})); }) == errc::unknown_protocol);
    }
    try {
        static_cast<void>(known.make({"tus", {}}));
    } catch (const error& e) {
        CHECK(e.details().detail == "tus");
    }
}

TEST_CASE("a stage that a protocol does not have does nothing", "[protocol][registry]") {
    asio::io_context context;
    plain speaks("");
    fake_session session("https://h/");
    CHECK_NOTHROW(run<void>(context, [&] { return speaks.restore(session); }));
    CHECK_NOTHROW(run<void>(context, [&] { return speaks.finalize(session); }));
    CHECK_FALSE(speaks.finalizes());
    CHECK(session.sent.empty());
}

}  // namespace
}  // namespace waybill::test
