import { useEffect, useState } from 'react';
import './panel.css';

export default function Panel() {
  const [rows, setRows] = useState(null);
  useEffect(() => {
    fetch('/slow?ms=1800').then(() => setRows(['one', 'two']));
  }, []);
  if (!rows) return <div className="panel loading">Loading</div>;
  return rows.map(row => <div key={row} className="panel">{row}</div>);
}
