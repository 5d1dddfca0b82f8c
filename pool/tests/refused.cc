#include <poolproof/pool.hpp>

void increment(int& number) {
  ++number;
}

struct Base {
  int number;
};
struct Derived : Base {
  int more;
};
int number_of(const Derived& derived) {
  return derived.number;
}
int length_of(std::vector<Derived> all) {
  return static_cast<int>(all.size());
}
class NoDefault {
 public:
  explicit NoDefault(int number) : number(number) {}
  template <class Archive>
  void serialize(Archive& archive) {
    archive(number);
  }
  int number;
};
int* pointer_to() {
  return nullptr;
}

int main() {
  poolproof::Pool pool;
#ifdef Captures
  const int offset = 1;
  return pool.apply([offset](int x) { return x + offset; }, 3);
#endif
#ifdef Uncrossable
  pool.apply<&number_of>(Derived{});
#endif
#ifdef UncrossableElements
  pool.apply<&length_of>(std::vector<Derived>());
#endif
#ifdef NoDefaultConstructor
  pool.apply([](const NoDefault& value) { return value.number; }, NoDefault(1));
#endif
#ifdef PointerResult
  pool.apply<&pointer_to>();
#endif
#ifdef UnregistrableError
  poolproof::register_error<NoDefault>();
#endif
#ifdef OutParameters
  pool.apply<&increment>(3);
#endif
}
