use std::sync::Mutex;

/// Calls `work` once for every item, on up to `threads` threads.
pub fn for_each<T: Send>(items: &mut [T], threads: usize, work: impl Fn(&mut T) + Sync) {
    let threads = threads.clamp(1, items.len().max(1));
    if threads == 1 {
        return items.iter_mut().for_each(work);
    }
    let items = Mutex::new(items.iter_mut());
    let next = || items.lock().expect("taking an item does not fail").next();
    let work_off = || {
        while let Some(item) = next() {
            work(item);
        }
    };
    std::thread::scope(|scope| {
        for _ in 1..threads {
            scope.spawn(work_off);
        }
        work_off();
    });
}
