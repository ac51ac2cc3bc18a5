// SPDX-License-Identifier: BSL-1.0
#include <waybill/protocol/tus.hpp>

#include "real/tus/tus_store.hpp"
#include "support/catch.hpp"
#include "support/delivery.hpp"
#include "support/eventually.hpp"

#include <filesystem>
#include <string>
#include <vector>

// @uploadx/core from npm: it checks the bytes of each request, and takes any offset.
namespace waybill::test {
namespace {

constexpr std::size_t mebibyte = 1 << 20;

}  // namespace

TEST_CASE("@uploadx/core checks every chunk, and has the whole in the end") {
    const temp_dir dir;
    const tus_store store("uploadx.mjs");
    delivery uploads(quick_options(dir));
    const std::string algorithm = GENERATE("sha1", "sha256", "md5", "any");
    CAPTURE(algorithm);
    const std::string content = random_bytes(3 * mebibyte + 1);
    job what(store.url());
    what.via(tus{}.checksum(algorithm).chunk_size(mebibyte)).file(dir.write("a", content));
    const job_snapshot done = uploads.settled(uploads.enqueue(what));
    INFO(describe(done));
    CHECK(done.status == status::completed);
    const auto there = store.uploads();
    REQUIRE(there.size() == 1);
    CHECK((there.begin()->second == content));
    const std::vector<nlohmann::json> chunks = store.requests("PATCH");
    REQUIRE(chunks.size() == 4);
    for (const nlohmann::json& chunk : chunks) {
        const std::string sum = chunk.at("headers").at("upload-checksum");
        CHECK(sum.starts_with(algorithm == "any" ? "sha256 " : algorithm + " "));
    }
}

TEST_CASE("an @uploadx/core that has lost bytes it had confirmed gets no others after them: the upload ends") {
    const temp_dir dir;
    tus_store store("uploadx.mjs", {{"DELAY", "100"}});
    job what(store.url());
    what.via(tus{}.chunk_size(mebibyte)).file(dir.write("a", random_bytes(16 * mebibyte)));
    job_snapshot begun;
    {
        delivery uploads(quick_options(dir));
        begun = uploads.wait_until(uploads.enqueue(what),
                                   [](const job_snapshot& j) { return j.confirmed >= 3 * mebibyte || j.terminal(); });
        uploads.stop();
    }
    REQUIRE(!begun.terminal());
    REQUIRE(store.uploads().size() == 1);
    // This server would take a request at any offset, and leave a hole. One it has not looked at yet dies with it.
    store.server.stop();
    const std::string cut = store.uploads().begin()->first;
    std::filesystem::resize_file(store.file(cut), mebibyte);
    store.server.start();

    delivery uploads(quick_options(dir));
    const job_snapshot done = uploads.settled(begun.id());
    INFO(describe(done));
    CHECK(done.status == status::completed);
    // It was begun anew, and what was left of the first one is removed.
    eventually("the clean-up", [&] { return store.uploads().size() == 1 && !store.uploads().contains(cut); });
}

}  // namespace waybill::test
