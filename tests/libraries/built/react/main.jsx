import { StrictMode, Suspense, lazy } from 'react';
import { createRoot } from 'react-dom/client';
import './style.css';

// A chunk of its own, which is loaded late.
const Panel = lazy(() => import('./Panel.jsx'));

createRoot(document.getElementById('root')).render(
  <StrictMode>
    <Suspense fallback={<div className="panel loading">Loading</div>}>
      <Panel />
    </Suspense>
  </StrictMode>,
);
