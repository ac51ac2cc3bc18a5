// SPDX-License-Identifier: BSL-1.0
#pragma once

// How `waybill run` shows what it does: live bars on a terminal, plain lines elsewhere.

#include <waybill/model/snapshot.hpp>

#include "screen.hpp"
#include "text.hpp"
#include "words.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdio>
#include <map>
#include <string>
#include <utility>
#include <vector>

namespace cli {

class progress {
public:
    virtual ~progress() = default;
    virtual void show(const waybill::snapshot& now) = 0;
    virtual void finish() {}

protected:
    /// The job's state changed since it was last seen. Jobs that were finished before are old news.
    bool changed(const waybill::job_snapshot& job) {
        const auto [place, fresh] = seen_.try_emplace(job.seq, job.status, job.attempt);
        if (fresh) {
            return begun_ ? job.status != waybill::status::pending : job.status == waybill::status::uploading;
        }
        const auto now = std::pair(job.status, job.attempt);
        return std::exchange(place->second, now) != now;
    }
    void seen_all() { begun_ = true; }

    /// In one line, fit for a terminal.
    static std::string describe(const waybill::job_snapshot& job) {
        std::string text = std::string(to_string(job.status)) + " " + job.id().str() + "  ";
        if (job.status == waybill::status::completed) {
            text += count(job.item_count(), "file") + ", " + bytes(static_cast<double>(job.size()));
        } else {
            const std::string words = job.status == waybill::status::uploading ? "" : situation(job);
            text += words.empty() ? "to " + job.about->url : words;
        }
        return printable(text);
    }

    static std::string summary(const waybill::snapshot& all) {
        using waybill::status;
        const waybill::totals& t = all.overall();
        std::string text = std::to_string(t[status::completed].jobs) + " of " + count(t.jobs(), "job") + " done";
        for (const status s :
             {status::waiting, status::paused, status::unknown_outcome, status::failed, status::canceled}) {
            if (t[s].jobs != 0) {
                text += ", " + std::to_string(t[s].jobs) + " " + std::string(to_string(s));
            }
        }
        return text + ", " + bytes(static_cast<double>(all.sent())) + " of " + bytes(static_cast<double>(all.size()));
    }

private:
    std::map<waybill::job_seq, std::pair<waybill::status, int>> seen_;
    bool begun_ = false;
};

/// A line for each change and each tenth of a job: for logs and pipes.
class plain_progress final : public progress {
public:
    void show(const waybill::snapshot& now) override {
        for (const auto& job : now.jobs()) {
            if (changed(*job)) {
                std::printf("%s\n", describe(*job).c_str());
                tenths_[job->seq] = 0;
            } else if (job->status == waybill::status::uploading) {
                const int tenth = static_cast<int>(job->progress() * 10);
                if (int& last = tenths_[job->seq]; tenth > last) {
                    last = tenth;
                    std::printf("uploading %s  %d %% of %s\n", printable(job->id().str()).c_str(), tenth * 10,
                                bytes(static_cast<double>(job->size())).c_str());
                }
            }
        }
        seen_all();
        last_ = summary(now);
        std::fflush(stdout);
    }
    void finish() override { std::printf("%s\n", last_.c_str()); }

private:
    std::map<waybill::job_seq, int> tenths_;
    std::string last_;
};

/// Live bars, redrawn in place below the lines of finished jobs.
class bar_progress final : public progress {
public:
    void show(const waybill::snapshot& now) override {
        const auto [rows, columns] = screen_now();
        std::string out = erase(rows, columns);
        std::vector<const waybill::job_snapshot*> running;
        for (const auto& job : now.jobs()) {
            const bool news = changed(*job);
            if (job->status == waybill::status::uploading || job->status == waybill::status::finalizing) {
                running.push_back(job.get());
            } else if (news) {
                out += describe(*job) + "\n";
            }
        }
        seen_all();
        // In addition to the summary and the cursor's row.
        std::vector<std::string> block = draw(running, rows - 2, columns);
        block.push_back(summary(now));
        drawn_.clear();
        for (const std::string& line : block) {
            const std::string whole = cut(line, columns);
            drawn_.push_back(width(whole));
            out += whole + "\n";
        }
        std::fwrite(out.data(), 1, out.size(), stdout);
        std::fflush(stdout);
    }

private:
    static constexpr std::size_t most_items = 6;

    // Lines that scrolled off the top, because the terminal became lower, stay. In a terminal that became narrower a
    // line now takes several rows.
    [[nodiscard]] std::string erase(std::size_t rows, std::size_t columns) const {
        std::size_t up = 0;
        for (const std::size_t width : drawn_) {
            up += std::max<std::size_t>((width + columns - 1) / columns, 1);
        }
        up = std::min(up, rows - 1);
        return up == 0 ? "" : "\033[" + std::to_string(up) + "F\033[J";
    }

    /// At most `room` lines, because lines that scrolled off the top could not be erased again: the jobs share them.
    static std::vector<std::string> draw(const std::vector<const waybill::job_snapshot*>& jobs, std::size_t room,
                                         std::size_t columns) {
        std::vector<std::string> block;
        if (jobs.empty() || room == 0) {
            return block;
        }
        const std::size_t shown = jobs.size() <= room ? jobs.size() : room - 1;
        const std::size_t each = std::max<std::size_t>(room / jobs.size(), 1);
        for (std::size_t i = 0; i < shown; ++i) {
            add_job(block, *jobs[i], layout(columns));
            add_items(block, *jobs[i], each - 1, layout(columns));
        }
        if (shown < jobs.size()) {
            block.push_back("… and " + std::to_string(jobs.size() - shown) + " more");
        }
        return block;
    }

    /// How wide names and bars are, so that the percentage behind them is visible even with little room.
    struct layout {
        explicit layout(std::size_t all)
            : columns(all), name(std::clamp<std::size_t>(columns / 4, std::min<std::size_t>(20, columns / 2), 48)),
              bar(std::clamp<std::size_t>(columns - std::min(columns, name + 9), 4, 24)) {}
        std::size_t columns;
        std::size_t name;
        std::size_t bar;
    };

    /// As much of it as there is room for.
    static void add_if_it_fits(std::string& line, const std::string& more, const layout& wide) {
        if (width(line) + width(more) <= wide.columns) {
            line += more;
        }
    }

    static std::string bar(double part, std::size_t cells) {
        static const char* const eighths[] = {"", "▏", "▎", "▍", "▌", "▋", "▊", "▉"};
        const auto filled = static_cast<std::size_t>(std::clamp(part, 0.0, 1.0) * static_cast<double>(cells * 8) + 0.5);
        std::string out;
        for (std::size_t i = 0; i < filled / 8; ++i) {
            out += "█";
        }
        out += eighths[filled % 8];
        const std::size_t used = filled / 8 + (filled % 8 != 0 ? 1 : 0);
        return out.append(cells - used, ' ');
    }

    static void add_job(std::vector<std::string>& block, const waybill::job_snapshot& job, const layout& wide) {
        char percent[8];
        std::snprintf(percent, sizeof percent, "%3d %%", static_cast<int>(job.progress() * 100));
        std::string line = fit(job.id().str(), wide.name) + " ▕" + bar(job.progress(), wide.bar) + "▏ " + percent;
        const auto say = [&](const std::string& more) { add_if_it_fits(line, "  " + more, wide); };
        if (job.doing == waybill::activity::awaiting_response) {
            say("waiting for the response");
        }
        say(bytes(static_cast<double>(job.sent)) + " / " + bytes(static_cast<double>(job.size())));
        if (job.doing != waybill::activity::awaiting_response && job.speed > 0) {
            say(bytes(job.speed) + "/s");
            if (const auto left = job.time_left()) {
                say(duration(*left) + " left");
            }
        }
        if (job.attempt > 1) {
            say("attempt " + std::to_string(job.attempt));
        }
        block.push_back(std::move(line));
    }

    // The items around the one that is being sent, in at most `room` lines; a job may have thousands.
    static void add_items(std::vector<std::string>& block, const waybill::job_snapshot& job, std::size_t room,
                          const layout& wide) {
        const std::size_t all = job.item_count();
        const bool some = all > std::min(room, most_items);
        const std::size_t most = some ? std::min(std::max<std::size_t>(room, 1) - 1, most_items) : all;
        std::size_t current = 0;
        while (current < all && job.progress_of_items[current].sent == job.about->items[current].size) {
            ++current;
        }
        const std::size_t first = std::min(current > 0 && most > 1 ? current - 1 : current, all - most);
        for (std::size_t i = first; i < first + most; ++i) {
            const waybill::item_snapshot item = job.item(i);
            const bool done = item.status == waybill::item_status::completed;
            std::string line = "  " + fit(item.name, std::max<std::size_t>(wide.name, 3) - 2) + " ▕" +
                               bar(item.progress(), wide.bar) + "▏" + (done ? " done" : "");
            add_if_it_fits(line, (done ? " " : "      ") + bytes(static_cast<double>(item.size)), wide);
            block.push_back(std::move(line));
        }
        if (some && room > 0) {
            block.push_back("  item " + std::to_string(std::min(current + 1, all)) + " of " + count(all, "item"));
        }
    }

    std::vector<std::size_t> drawn_;  // the widths of the lines below which the cursor is
};

}  // namespace cli
