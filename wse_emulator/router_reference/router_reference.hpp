// A fabric simulated word by word and cycle by cycle: what the timing rules of fabric/ are checked against.
// For grids of up to some thousand tiles.
//
// A tile has a router and a core. The router has five full-duplex ports (four links and the ramp to the core)
// of one word a cycle and direction, and for every color and input port a queue. A color's route at a tile
// says from which port it comes and to which ports it goes; a word moves when all of these take it
// (multicast, back-pressure). A word that leaves a router at cycle t is in the neighbour's queue at t + hop;
// one that the core sends in cycle t leaves the core's register a cycle later and is in the router's queue at
// t + 1 + T_R, and T_R cycles lie between router and core. With these conventions broadcast and chain take
// exactly the cycles of Luczynski et al. (HPDC'24).
#pragma once

#include <array>
#include <cstdint>
#include <deque>
#include <functional>
#include <stdexcept>
#include <string>
#include <vector>

#include "wse_emulator/fabric/fabric_timing.hpp"

namespace wafermark::wse {

enum class Port { north, east, south, west, ramp };
inline constexpr std::size_t ports = 5;

/// One position of a color's switch at a tile.
struct Route {
  Port from;
  std::vector<Port> to;
};

/// What a control wavelet does to the switches of the next so many routers that it passes.
struct SwitchCommand {
  bool advance;
  int routers;
};
// Of the real fabric (vendor's SDK): a color has four positions at a tile; the word of a control wavelet
// holds four commands, each with a count of four bits.
inline constexpr std::size_t switch_positions = 4, switch_commands = 4;
inline constexpr int most_routers_of_a_command = 15;

/// Work remains and nothing can move: the message lists who waits for what.
class Deadlock : public std::runtime_error {
  using std::runtime_error::runtime_error;
};

class RouterReference {
 private:
  struct Wavelet;

 public:
  RouterReference(const FabricTiming& fabric, int width, int height);

  /// The switch positions of `color` at a tile, in turn, at most four, and which comes first; a control
  /// wavelet moves the switch on when it has passed, and after the last position to position 0. Colors
  /// without a route accept nothing. Throws std::logic_error for more positions.
  void route(int x, int y, int color, std::vector<Route> positions, std::size_t first = 0);

  /// A thread of a core: instructions run one after the other, threads side by side, each one word a cycle.
  class Thread {
   public:
    /// Does nothing before `cycle`.
    Thread& wait_until(std::int64_t cycle);
    Thread& send(int color, std::vector<float> words);
    /// Does nothing before the tile's thread `number` has done all its instructions.
    Thread& wait_for_thread(int number);
    /// A control wavelet: it follows the color's route to the other routers but does not enter cores. The
    /// first router that obeys is the tile's own; those after the last command stay as they are. Throws
    /// std::logic_error for more commands than a wavelet holds.
    Thread& send_control(int color,
                         std::vector<SwitchCommand> commands = {{true, most_routers_of_a_command}});
    /// Takes `words` words into the list that received() returns.
    Thread& receive(int color, int words);
    /// Puts `words` from memory into that list, in no time.
    Thread& hold(std::vector<float> words);
    /// Sends the last `words` words of the list.
    Thread& send_last(int color, int words);
    /// Takes `words` words and adds them to the last of the list; the sums go into the list.
    Thread& receive_add(int color, int words);
    /// The same, and sends each sum on as it is made.
    Thread& receive_add_send(int from, int words, int to);
    /// The core is busy for so many cycles.
    Thread& work(std::int64_t cycles);
    /// Takes `words` >= 1 words; each starts multiply-adds with its `factors`, [word][sum], which keep the
    /// thread busy for so many cycles, its own included. The sums, from 0 on, go into the list at the end.
    Thread& multiply_add(int color, int words, std::int64_t cycles, std::vector<float> factors);

   private:
    friend class RouterReference;
    enum class Kind { wait, join, hold, send, control, receive, add, add_send, work, multiply };
    struct Instruction {
      Kind kind;
      int color = 0, to = 0;
      std::int64_t count = 0;
      std::vector<float> words;  ///< empty: the last of received_
      std::vector<SwitchCommand> commands{};
      std::int64_t cycles = 1;  ///< of a word's multiply-adds
    };
    bool multiply(std::deque<Wavelet>& in, const Instruction& i, std::int64_t now);
    float own_word(const Instruction& i) const;
    std::vector<Instruction> instructions_;
    std::size_t next_ = 0;
    std::int64_t done_ = 0;            ///< words of the present instruction
    std::size_t received_before_ = 0;  ///< it began
    std::int64_t finished_ = 0;
    std::vector<float> received_, sums_;
  };
  /// Adds a thread to a tile's core. References stay valid.
  Thread& thread(int x, int y);

  /// Runs until every thread is done and no word is under way. Returns the cycle after the last one in which
  /// a core did something. Throws Deadlock.
  std::int64_t run();

  /// The cycle after the last in which the tile's threads did something.
  std::int64_t finished(int x, int y) const;
  /// Of one of its threads.
  std::int64_t finished(int x, int y, int number) const;
  /// Words that a thread held and received, or sums it made, in order; `number`: of the tile's threads.
  const std::vector<float>& received(int x, int y, int number = 0) const;
  /// Words of a color that left a tile's router by a port.
  std::int64_t words(int x, int y, int color, Port port) const;

 private:
  struct Wavelet {
    float value;
    const std::vector<SwitchCommand>* commands;  ///< of a control wavelet; null: data
    int passed;                                  ///< routers so far
    std::int64_t ready;

    bool advances_switch() const;
  };
  struct Color {
    std::vector<Route> positions;
    std::size_t at = 0;
    std::array<std::deque<Wavelet>, ports> queue;  ///< by input port
    std::deque<Wavelet> core;                      ///< on the way to the core
    std::array<std::int64_t, ports> sent{};
  };
  struct Tile {
    std::vector<Color> colors;
    std::deque<Thread> threads;
    std::size_t turn = 0;  ///< round robin between colors
  };
  Tile& tile(int x, int y) { return tiles_.at(static_cast<std::size_t>(y * width_ + x)); }
  const Tile& tile(int x, int y) const { return tiles_.at(static_cast<std::size_t>(y * width_ + x)); }
  bool move_words(int x, int y, std::int64_t now);
  bool run_threads(Tile& t, std::int64_t now);
  bool step(Tile& t, Thread& thread, std::int64_t now, std::vector<char>& color_used);
  std::deque<Wavelet>* target(int x, int y, int color, Port port);
  [[noreturn]] void report_deadlock(std::int64_t now) const;

  FabricTiming fabric_;
  int width_, height_;
  std::vector<Tile> tiles_;
};

}  // namespace wafermark::wse
