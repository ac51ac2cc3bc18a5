// SPDX-License-Identifier: BSL-1.0
#include "compare/lossy_link.hpp"
#include "compare/scenario.hpp"
#include "compare/workspace.hpp"
#include "real/web_server.hpp"
#include "support/s3_server.hpp"

#include <filesystem>
#include <memory>
#include <utility>

// The pieces of work. Servers and files live as long as the scenario that uses them.
namespace waybill::bench {
namespace {

constexpr std::uint64_t mebibyte = 1 << 20;
constexpr std::uint64_t gibibyte = 1 << 30;

bool there_is(const std::string& program) {
    return !test::find_program(program).empty();
}

/// What the contestants of the PUT scenarios share.
struct field {
    std::string programs;
    std::shared_ptr<workspace> files;

    [[nodiscard]] contestant client(const std::string& name, const std::string& program, const std::string& url,
                                    const std::string& list, int in_flight, const std::string& ca = "") const {
        contestant who{name, {programs + "/compare_" + program, url, list, std::to_string(in_flight)}};
        if (!ca.empty()) {
            who.argv.push_back(ca);
        }
        return who;
    }

    [[nodiscard]] contestant waybill(const std::string& name, const std::string& via, const std::string& url,
                                     const std::string& list, int in_flight, const std::string& ca = "") const {
        contestant who = client(name, "waybill_client", url, list, in_flight, ca);
        who.argv.insert(who.argv.begin() + 1, {via, files->store("store")});
        who.ours = true;
        who.before = [f = files] { f->remove_store("store"); };
        return who;
    }
};

scenario one_large_file(const field& f) {
    const auto server = std::make_shared<sink>(f.programs + "/compare_sink");
    const std::string file = f.files->file("1 GiB", gibibyte);
    const std::string list = f.files->list("large", {file});
    const std::string url = server->url("/large");
    scenario what{"1 GiB by PUT to the sink", {}, [server] { server->expect(gibibyte); }};
    what.contestants.push_back({"curl -T", {"curl", "-sSf", "-T", file, url}});
    what.contestants.push_back(f.client("blocking libcurl", "easy_client", url, list, 1));
    what.contestants.push_back(f.client("bare curl multi on Asio", "multi_client", url, list, 1));
    what.contestants.push_back(f.client("raw send", "raw_client", url, list, 1));
    what.contestants.push_back(f.waybill("Waybill", "put", url, list, 1));
    return what;
}

scenario one_large_file_by_tls(const field& f) {
    const auto ca = std::make_shared<test::certificate_authority>();
    const auto server = std::make_shared<sink>(f.programs + "/compare_sink", ca->issue());
    const std::string file = f.files->file("1 GiB", gibibyte);
    const std::string list = f.files->list("large", {file});
    const std::string url = server->tls_url("/large");
    scenario what{"1 GiB by PUT over TLS to the sink", {}, [server, ca] {}};
    what.contestants.push_back({"curl -T", {"curl", "-sSf", "--cacert", ca->ca_file(), "-T", file, url}});
    what.contestants.push_back(f.client("blocking libcurl", "easy_client", url, list, 1, ca->ca_file()));
    what.contestants.push_back(f.client("bare curl multi on Asio", "multi_client", url, list, 1, ca->ca_file()));
    what.contestants.push_back(f.waybill("Waybill", "put", url, list, 1, ca->ca_file()));
    return what;
}

scenario one_form(const field& f) {
    const auto server = std::make_shared<sink>(f.programs + "/compare_sink");
    const auto files = f.files->files(10, 100 * mebibyte);
    scenario what{"One form of 10 × 100 MiB to the sink", {}, {}};
    arguments curl = {"curl", "-sSf", "-H", "Expect:"};
    for (const std::string& file : files) {
        curl.insert(curl.end(), {"-F", "file=@" + file});
    }
    curl.push_back(server->url("/form"));
    what.contestants.push_back({"curl -F", curl});
    what.contestants.push_back(
        f.waybill("Waybill", "multipart", server->url("/form"), f.files->list("form", files), 1));
    what.check = [server] {};
    return what;
}

void add_small_file_clients(scenario& what, const field& f, const std::string& url,
                            const std::vector<std::string>& files, int in_flight) {
    const std::string list = f.files->list("small", files);
    const std::string config = f.files->curl_config("small", files, url);
    const std::string width = std::to_string(in_flight);
    what.contestants.push_back(
        {"curl -Z", {"curl", "-sSf", "-Z", "--no-progress-meter", "--parallel-max", width, "-K", config}});
    what.contestants.push_back(f.client("blocking libcurl, one at a time", "easy_client", url, list, 1));
    what.contestants.push_back(f.client("bare curl multi on Asio", "multi_client", url, list, in_flight));
    what.contestants.push_back(f.waybill("Waybill, one job", "put", url, list, in_flight));
}

scenario many_small_files(const field& f) {
    const auto server = std::make_shared<sink>(f.programs + "/compare_sink");
    const auto files = f.files->files(10'000, 4096);
    scenario what{"10,000 × 4 KiB by PUT to the sink, 32 in flight", {}, [server] { server->expect(10'000 * 4096); }};
    add_small_file_clients(what, f, server->url("/"), files, 32);
    what.contestants.push_back(
        f.client("raw send, one at a time", "raw_client", server->url("/"), f.files->list("small", files), 1));
    what.contestants.push_back(
        f.waybill("Waybill, 10,000 jobs", "jobs", server->url("/"), f.files->list("small", files), 32));
    return what;
}

/// A server's folder must hold so many files; then it is emptied for the next run.
void require_files(const std::filesystem::path& folder, std::size_t count) {
    std::size_t there = 0;
    for (const auto& entry : std::filesystem::directory_iterator(folder)) {
        there += entry.is_regular_file() ? 1 : 0;
        std::filesystem::remove_all(entry.path());
    }
    if (there != count) {
        throw std::runtime_error("the server has " + std::to_string(there) + " files");
    }
}

scenario small_files_to_nginx(const field& f) {
    const auto server = std::make_shared<test::web_server>(test::web_server::kind::nginx);
    const auto files = f.files->files(10'000, 4096);
    scenario what{"10,000 × 4 KiB by PUT to nginx, 32 in flight", {}, {}};
    add_small_file_clients(what, f, server->url("/dav/"), files, 32);
    what.check = [server, count = files.size()] { require_files(server->file("dav"), count); };
    return what;
}

scenario small_files_by_webdav(const field& f) {
    const auto server = std::make_shared<test::web_server>(test::web_server::kind::apache);
    const auto files = f.files->files(1'000, 4096);
    const std::string list = f.files->list("webdav", files);
    const std::string url = server->url("/dav/");
    scenario what{"1,000 × 4 KiB to Apache's WebDAV, 8 in flight", {}, {}};
    what.most_rounds = 3;
    if (there_is("rclone")) {
        const std::filesystem::path folder = std::filesystem::path(files.front()).parent_path();
        what.contestants.push_back(
            {"rclone",
             {"rclone", "copy", "--config", "/dev/null", "--transfers", "8", "--webdav-url", url, folder, ":webdav:"}});
    }
    what.contestants.push_back({"curl -Z",
                                {"curl", "-sSf", "-Z", "--no-progress-meter", "--parallel-max", "8", "-K",
                                 f.files->curl_config("webdav", files, url)}});
    what.contestants.push_back(f.waybill("Waybill, one job", "put", url, list, 8));
    what.check = [server, count = files.size()] { require_files(server->file("dav"), count); };
    return what;
}

scenario large_file_to_nginx(const field& f) {
    const auto server = std::make_shared<test::web_server>(test::web_server::kind::nginx);
    const std::string file = f.files->file("1 GiB", gibibyte);
    const std::string list = f.files->list("large", {file});
    const std::string url = server->url("/dav/large");
    scenario what{"1 GiB by PUT to nginx", {}, {}};
    what.contestants.push_back({"curl -T", {"curl", "-sSf", "-T", file, url}});
    what.contestants.push_back(f.client("blocking libcurl", "easy_client", url, list, 1));
    what.contestants.push_back(f.waybill("Waybill", "put", url, list, 1));
    what.check = [server] {
        if (std::filesystem::file_size(server->file("dav/large")) != gibibyte) {
            throw std::runtime_error("nginx has not got the whole file");
        }
        std::filesystem::remove(server->file("dav/large"));
    };
    what.most_rounds = 5;
    return what;
}

scenario small_files_by_tus(const field& f) {
    const auto folder = std::make_shared<test::temp_dir>();
    const std::string node = f.programs + "/node";
    const auto server =
        std::make_shared<server_process>(std::vector<std::string>{"node", node + "/tus_server.mjs"},
                                         std::vector<std::pair<std::string, std::string>>{{"DIR", folder->path()}});
    const auto files = f.files->files(2'000, 4096);
    const std::string list = f.files->list("tus", files);
    const std::string url = "http://127.0.0.1:" + std::to_string(server->port()) + "/files";
    scenario what{"2,000 × 4 KiB by tus to @tus/server, 32 in flight", {}, [server, folder, count = files.size()] {
                      std::size_t whole = 0;
                      for (const auto& entry : std::filesystem::directory_iterator(folder->path())) {
                          whole += entry.path().extension() != ".json" && entry.file_size() == 4096 ? 1 : 0;
                          std::filesystem::remove(entry.path());
                      }
                      if (whole != count) {
                          throw std::runtime_error("the server has " + std::to_string(whole) + " uploads");
                      }
                  }};
    what.contestants.push_back({"tus-js-client", {"node", node + "/tus_client.mjs", url, list, "32"}});
    what.contestants.push_back(f.waybill("Waybill", "tus", url, list, 32));
    what.most_rounds = 3;
    return what;
}

// The server is the tests' own, within this process: what it costs is nobody's.
scenario large_file_by_s3(const field& f) {
    constexpr std::uint64_t size = 256 * mebibyte;
    ::setenv("AWS_ACCESS_KEY_ID", test::s3_server::access_key, 1);
    ::setenv("AWS_SECRET_ACCESS_KEY", test::s3_server::secret_key, 1);
    ::unsetenv("AWS_CA_BUNDLE");  // rclone would read it for plain HTTP, too
    test::s3_behaviour forgetful;
    forgetful.keeps_bytes = false;
    const auto server = std::make_shared<test::s3_server>(forgetful);
    const std::string file = f.files->file("256 MiB", size);
    scenario what{"256 MiB by S3, parts of 8 MiB, four at once", {}, {}};
    what.most_rounds = 5;
    if (there_is("rclone")) {
        const arguments how = {"--config",
                               "/dev/null",
                               "--s3-provider",
                               "Other",
                               "--s3-env-auth",
                               "--s3-region",
                               "us-east-1",
                               "--s3-endpoint",
                               server->url(""),
                               "--s3-force-path-style",
                               "--s3-no-check-bucket",
                               "--s3-disable-checksum",
                               "--s3-chunk-size",
                               "8Mi",
                               "--s3-upload-cutoff",
                               "8Mi",
                               "--s3-upload-concurrency",
                               "4",
                               "--ignore-checksum",
                               "--ignore-times",
                               "copyto"};
        arguments copy = {"rclone"};
        copy.insert(copy.end(), how.begin(), how.end());
        copy.insert(copy.end(), {file, ":s3:bucket/rclone"});
        what.contestants.push_back({"rclone", copy});
    }
    what.contestants.push_back(
        f.waybill("Waybill", "s3", server->url("/bucket/waybill"), f.files->list("s3", {file}), 4));
    what.check = [server, before = std::make_shared<std::uint64_t>(0)] {
        const std::uint64_t taken = server->bytes_taken() - *before;
        *before += taken;
        if (taken < size || taken > size + mebibyte) {  // with the document that completes it
            throw std::runtime_error("the server took " + std::to_string(taken) + " bytes");
        }
    };
    what.trace = false;
    return what;
}

scenario broken_link(const field& f) {
    constexpr std::uint64_t size = 16 * mebibyte;
    const auto link = std::make_shared<lossy_link>();
    const auto folder = std::make_shared<test::temp_dir>();
    const std::string node = f.programs + "/node";
    const std::string count = f.files->path("sent");
    const auto server =
        std::make_shared<server_process>(lossy_link::inside({"node", node + "/tus_server.mjs"}),
                                         std::vector<std::pair<std::string, std::string>>{{"DIR", folder->path()}});
    const auto cutter = std::make_shared<server_process>(
        lossy_link::inside({f.programs + "/compare_cutter", std::to_string(server->port()), "2000000", count}));
    const std::string list = f.files->list("lossy", {f.files->file("16 MiB", size)});
    const std::string url =
        std::string("http://") + lossy_link::address() + ":" + std::to_string(cutter->port()) + "/files";
    scenario what{"16 MiB by tus over 20 Mbit/s with 5 % loss, a reset every 2 MB", {}, {}};
    what.contestants.push_back({"tus-js-client", {"node", node + "/tus_client.mjs", url, list, "1"}});
    what.contestants.push_back(f.waybill("Waybill", "tus", url, list, 1));
    what.check = [link, folder, server, cutter] {
        std::uint64_t whole = 0;
        for (const auto& entry : std::filesystem::directory_iterator(folder->path())) {
            whole += entry.path().extension() != ".json" && entry.file_size() == size ? 1 : 0;
            std::filesystem::remove(entry.path());
        }
        if (whole != 1) {
            throw std::runtime_error("the file has not arrived");
        }
    };
    what.sent = [count, before = std::make_shared<std::uint64_t>(0)] {
        const std::uint64_t now = std::stoull(test::read_file(count));
        return now - std::exchange(*before, now);
    };
    what.most_rounds = 7;
    what.trace = false;
    return what;
}

scenario sparse_file(const field& f) {
    const auto server = std::make_shared<sink>(f.programs + "/compare_sink");
    scenario what{"Memory: sparse files by PUT to the sink", {}, [server] {}};
    for (const std::uint64_t size : {1, 100}) {
        const std::string file = f.files->file("sparse-" + std::to_string(size), 0);
        std::filesystem::resize_file(file, size * gibibyte);
        const std::string name = "Waybill, " + std::to_string(size) + " GiB";
        what.contestants.push_back(
            f.waybill(name, "put", server->url("/sparse"), f.files->list("sparse-" + std::to_string(size), {file}), 1));
    }
    what.most_rounds = 1;
    what.trace = false;
    return what;
}

contestant limit(const field& f, const std::string& name, const arguments& rest, bool ours) {
    contestant who{name, {f.programs + "/compare_limits"}, ours};
    who.argv.insert(who.argv.end(), rest.begin(), rest.end());
    return who;
}

scenario long_queue(const field& f) {
    scenario what{"Queue: open a store, make the first request, stop", {}, {}};
    what.contestants.push_back(limit(f, "an empty process", {"nothing"}, false));
    for (const char* const count : {"100", "1000000"}) {
        const std::string store = f.files->store(std::string("queue-") + count);
        if (!std::filesystem::exists(store)) {
            static_cast<void>(run_measured(limit(f, "", {"fill", store, count}, true).argv));
        }
        what.contestants.push_back(limit(f, std::string("Waybill, ") + count + " queued jobs", {"open", store}, true));
    }
    return what;
}

scenario idle(const field& f) {
    scenario what{"Idle: 10,000 waiting jobs, for 1 s and for 11 s", {}, {}};
    const std::string store = f.files->store("idle");
    static_cast<void>(run_measured(limit(f, "", {"fill-waiting", store, "10000"}, true).argv));
    for (const char* const seconds : {"1", "11"}) {
        what.contestants.push_back(limit(f, std::string("Waybill, ") + seconds + " s", {"idle", store, seconds}, true));
    }
    what.most_rounds = 1;
    return what;
}

scenario compiling(const field& f) {
    scenario what{"Compile time of one file, g++ -O0", {}, {}};
    const std::string root = WAYBILL_SOURCE_DIR;
    const auto unit = [&](const std::string& name, const std::string& file, const arguments& more, bool ours) {
        contestant who{name,
                       {"g++", "-std=c++20", "-DASIO_STANDALONE", "-I" + root + "/include", "-c",
                        root + "/benchmarks/compare/units/" + file, "-o", f.files->path("unit.o")},
                       ours};
        who.argv.insert(who.argv.end(), more.begin(), more.end());
        what.contestants.push_back(std::move(who));
    };
    unit("an empty file", "empty.cpp", {}, false);
    unit("Asio, curl and SQLiteCpp", "dependencies.cpp", {}, false);
    unit("waybill/fwd.hpp", "fwd.cpp", {}, true);
    unit("waybill/waybill.hpp, compiled library", "waybill.cpp", {"-DWAYBILL_SEPARATE_COMPILATION"}, true);
    unit("waybill/waybill.hpp, header-only", "waybill.cpp", {}, true);
    what.most_rounds = 3;
    what.trace = false;
    return what;
}

}  // namespace

std::vector<known_scenario> all_scenarios(const std::string& programs) {
    const field f{programs, std::make_shared<workspace>()};
    const auto with = [&f](scenario (*make)(const field&)) { return [f, make] { return make(f); }; };
    return {
        {"large", "1 GiB by PUT, plain HTTP", with(one_large_file)},
        {"tls", "1 GiB by PUT over TLS", with(one_large_file_by_tls)},
        {"form", "10 x 100 MiB in one multipart/form-data request", with(one_form)},
        {"small", "10,000 x 4 KiB by PUT", with(many_small_files)},
        {"nginx-large", "1 GiB by PUT to a real nginx", with(large_file_to_nginx)},
        {"nginx-small", "10,000 x 4 KiB by PUT to a real nginx", with(small_files_to_nginx)},
        {"webdav", "1,000 x 4 KiB to Apache's WebDAV, with rclone", with(small_files_by_webdav)},
        {"tus", "2,000 x 4 KiB by tus", with(small_files_by_tus)},
        {"s3", "256 MiB by S3, with rclone", with(large_file_by_s3)},
        {"lossy", "16 MiB by tus over a lossy link that breaks; for root", with(broken_link)},
        {"sparse", "memory with 1 GiB and 100 GiB", with(sparse_file)},
        {"queue", "a queue of 100 and of 1,000,000 jobs", with(long_queue)},
        {"idle", "wake-ups with 10,000 waiting jobs", with(idle)},
        {"compile", "compile time", with(compiling)},
    };
}

}  // namespace waybill::bench
