// SPDX-License-Identifier: BSL-1.0
#include <waybill/protocol/multipart.hpp>
#include <waybill/protocol/put.hpp>
#include <waybill/protocol/tus.hpp>

#include "real/tus/tus_store.hpp"
#include "real/web_server.hpp"
#include "support/catch.hpp"
#include "support/delivery.hpp"
#include "support/node_server.hpp"
#include "support/temp_dir.hpp"

#include <nlohmann/json.hpp>

#include <array>
#include <chrono>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <string>

// One byte more than 32 bits can count. The file is sparse: it costs no disk, and its few bytes that are not
// zero sit where a length or an offset that lost its upper half would put others.
namespace waybill::test {
namespace {

constexpr std::uint64_t large = (std::uint64_t(4) << 30) + 1;
constexpr std::chrono::minutes patience{5};

constexpr std::array<std::uint64_t, 3> marks{0, std::uint64_t(2) << 30, large - 1};

std::string large_file(const temp_dir& dir) {
    const std::string path = dir.write("large", "");
    std::filesystem::resize_file(path, large);
    std::fstream out(path, std::ios::in | std::ios::out | std::ios::binary);
    for (const std::uint64_t at : marks) {
        out.seekp(static_cast<std::streamoff>(at));
        out.put('x');
    }
    REQUIRE(out.flush().good());
    return path;
}

void require_whole(const std::filesystem::path& stored) {
    REQUIRE(std::filesystem::file_size(stored) == large);
    std::ifstream bytes(stored, std::ios::binary);
    for (const std::uint64_t at : marks) {
        bytes.seekg(static_cast<std::streamoff>(at));
        CHECK(bytes.get() == 'x');
        CHECK((at == large - 1 || bytes.get() == '\0'));
    }
}

job_snapshot settled(delivery& uploads, const job_id& id) {
    return uploads.wait_until(
        id, [](const job_snapshot& j) { return j.terminal() || is_parked(j.status); }, patience);
}

}  // namespace

TEST_CASE("a file beyond 4 GiB is stored by nginx in its whole length") {
    const temp_dir dir;
    const web_server server(web_server::kind::nginx);
    delivery uploads(quick_options(dir));
    const job_id id = uploads.enqueue(job(server.url("/dav/")).file(large_file(dir)));
    const job_snapshot done = settled(uploads, id);
    INFO(describe(done) << "\n" << server.words());
    REQUIRE(done.status == status::completed);
    CHECK(done.sent == large);
    CHECK(done.attempt == 1);
    require_whole(server.file("dav/large"));
}

TEST_CASE("a file beyond 4 GiB is stored by @tus/server in its whole length, in requests of 1 GiB") {
    const temp_dir dir;
    const tus_store server;
    delivery uploads(quick_options(dir));
    job what(server.url());
    what.via(tus{}.chunk_size(std::uint64_t(1) << 30)).file(large_file(dir));
    const job_snapshot done = settled(uploads, uploads.enqueue(what));
    INFO(describe(done) << "\n" << server.server.words());
    REQUIRE(done.status == status::completed);
    CHECK(done.sent == large);
    CHECK(done.attempt == 1);
    CHECK(server.requests("PATCH").size() == 5);
    const std::string receipt = done.item(0).receipt;
    require_whole(server.file(receipt.substr(receipt.find_last_of('/') + 1)));
}

TEST_CASE("a file beyond 4 GiB arrives in a form between two small ones") {
    const temp_dir dir;
    const node_server server("forms.mjs", {{"HASH", "no"}});
    delivery uploads(quick_options(dir));
    job what(server.url("/busboy"));
    what.via(multipart{}).field("n", "1").bytes("first", "1").file(large_file(dir)).bytes("last", "22");
    const job_id id = uploads.enqueue(what);
    const job_snapshot done = settled(uploads, id);
    INFO(describe(done) << "\n" << server.words());
    REQUIRE(done.status == status::completed);
    CHECK(done.attempt == 1);
    const nlohmann::json form = nlohmann::json::parse(server.log());
    REQUIRE(form.at("files").size() == 3);
    CHECK(form.at("files")[0].at("size") == 1);
    CHECK(form.at("files")[1].at("size") == large);
    CHECK(form.at("files")[2].at("size") == 2);
}

}  // namespace waybill::test
